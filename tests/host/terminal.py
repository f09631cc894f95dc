"""A person's terminal in a project's folder."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from tests.emulators.tool import needing
from tests.engine.provider import StandIn
from tests.host import language
from tests.host.internet import Internet
from tools import pulumi_cli

PLUGIN = """#!/bin/sh
# As the CLI's own: a relative environment is looked for in the folder where the engine starts this, which is the program's.
case $PULUMI_RUNTIME_VIRTUALENV in
  /*) environment=$PULUMI_RUNTIME_VIRTUALENV ;;
  *) environment=$PWD/$PULUMI_RUNTIME_VIRTUALENV ;;
esac
if [ ! -f "$environment/bin/python" ]; then
  echo "The 'virtualenv' option in Pulumi.yaml is set to \\"$environment\\", but it is no virtual environment." >&2
  exit 1
fi
PATH="$environment/bin:$PATH" exec "$environment/bin/python" -u -m pulumi.dynamic "$@"
"""
SUMMARY = re.compile(r"^ +[-+~±]{0,2} *(\d+) (to )?(\w+)$", re.MULTILINE)


class Terminal:
    """Runs commands in `project`, logged in to both clouds, which stand-ins make. `standin` has what there is, by URN.

    `home` keeps what belongs to the person: the state of the stacks, the tools. A command that fails fails the test, unless
    `fails` says that it should; the output is what is read on the screen.
    """

    def __init__(self, project: Path, home: Path, standin=None):
        self.project, self.home = project, home
        home.mkdir(parents=True, exist_ok=True)
        self.standin, self.internet = standin or StandIn(), Internet()
        (home / "state").mkdir(exist_ok=True)
        # Not the dynamic resources': their process is started as the engine does it.
        providers = ",".join(f"{name}:{self.standin.port}" for name in ("aws", "azure-native", "random"))
        self.environ = self.internet.environ | {
            "PATH": os.pathsep.join(
                [str(host(home / "bin")), str(needing(pulumi_cli.find).parent), os.environ["PATH"]]
            ),
            "PULUMI_DEBUG_PROVIDERS": providers,
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "PULUMI_BACKEND_URL": f"file://{home / 'state'}",
            "PULUMI_HOME": str(home / "pulumi"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }

    def __call__(self, command: str, *, fails: bool = False) -> str:
        code, output = self.run(command)
        assert (code != 0) == fails, f"{command} ended with {code}:\n{output[-3000:]}"
        return output

    def run(self, command: str) -> tuple[int, str]:
        """The exit code and the output."""
        left = {key: value for key, value in os.environ.items() if not key.startswith(("PULUMI_", "AWS_", "AZURE_"))}
        left = {key: value for key, value in left.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
        self.process = subprocess.Popen(
            command.split(), cwd=self.project, env=left | self.environ, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
        output, _ = self.process.communicate(timeout=900)
        return self.process.returncode, output

    def interrupt(self):
        """Ctrl-C, which every process of the running command gets."""
        os.killpg(self.process.pid, signal.SIGINT)

    def close(self):
        self.standin.close()
        self.internet.close()


def host(folder: Path) -> Path:
    """Where the language host and the plugin of dynamic resources are: the CLI's own if they are on PATH, else stand-ins."""
    if command := shutil.which("pulumi-language-python"):
        return Path(command).parent
    folder.mkdir(parents=True, exist_ok=True)
    script = f'#!/bin/sh\nPYTHONPATH={Path(__file__).parents[2]} exec {sys.executable} -u -m {language.__name__} "$@"\n'
    for name, text in (("pulumi-language-python", script), ("pulumi-resource-pulumi-python", PLUGIN)):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    return folder


def counts(output: str) -> dict[str, int]:
    """What a command's summary counts: {"created": 75, "unchanged": 2}, of a preview {"create": 75}."""
    _, _, summary = output.rpartition("Resources:\n")
    return {kind: int(number) for number, _, kind in SUMMARY.findall(summary)}
