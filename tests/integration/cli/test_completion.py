"""Completion as a shell asks for it: by Typer's scripts, which bash runs here; zsh's and fish's by what they ask for."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.copies.copy import ROOT

TWOFOLD = Path(sys.executable).with_name("twofold")


@pytest.fixture
def folder(tmp_path):
    """A service's folder, with a customer's stack."""
    (tmp_path / "api").symlink_to(ROOT / "api")
    shutil.copytree(ROOT / "stacks/config", tmp_path / "stacks/config")
    (tmp_path / "stacks/config/Pulumi.acme-prod-aws.yaml").write_text("config: {}\n")
    return tmp_path


def ask(folder, instruction, code=0, **environ):
    plain = {key: value for key, value in os.environ.items() if not key.startswith("TWOFOLD_")}
    done = subprocess.run(
        [TWOFOLD], cwd=folder, env=plain | {"_TWOFOLD_COMPLETE": instruction} | environ, capture_output=True, text=True,
        timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (code, "")
    return done.stdout


def complete(folder, line):
    """What bash is offered at the end of the line."""
    words = line.split(" ")
    return ask(folder, "complete_bash", COMP_WORDS=line, COMP_CWORD=str(len(words) - 1)).split()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("twofold re", ["releases", "rebuild"]),
        ("twofold dlq ", ["list", "show", "redrive", "purge"]),
        ("twofold catchup --", ["--cloud", "--env", "--json", "--manifest", "--help"]),
        ("twofold build --cloud ", ["aws", "azure"]),
        ("twofold secret list --cloud az", ["azure"]),
        ("twofold dev --cloud ", ["local", "aws", "azure"]),
        ("twofold sbom ", ["aws", "azure"]),
        ("twofold describe --env ", ["acme-prod", "dev", "prod", "staging"]),
        ("twofold describe --cloud azure --env ", ["dev", "prod", "staging"]),
        ("twofold dlq list pay", ["payments", "payment-outbox"]),
        ("twofold dlq purge ", ["payments", "orders", "order-events", "payment-outbox"]),
        ("twofold rebuild ", ["orders"]),
        ("twofold secret set --env dev ", ["payment-api-key"]),
        ("twofold token --scope orders.r", ["orders.read"]),
    ],
)
def test_commands_options_and_values(folder, line, offered):
    assert complete(folder, line) == offered


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_are_answered_in_their_own_way(folder, shell):
    def offered(line):
        return ask(
            folder, f"complete_{shell}", _TYPER_COMPLETE_ARGS=line, _TYPER_COMPLETE_FISH_ACTION="get-args"
        )  # fmt: skip

    assert re.findall(r"aws|azure", offered("twofold build --cloud ")) == ["aws", "azure"]
    assert "payments" in offered("twofold dlq show ")
    assert "Deletes them for ever" in offered("twofold dlq pu")


@pytest.mark.parametrize(
    "manifest",
    [
        None, "def", "1 / 0", "import sys; sys.exit('no')", "print('noise'); import sys; print('noise', file=sys.stderr)",
        "SERVICE = 3", "from nowhere import SERVICE",
    ],
)  # fmt: skip
def test_where_no_manifest_can_be_read_nothing_is_offered_nor_told(tmp_path, manifest):
    if manifest is not None:
        (tmp_path / "broken.py").write_text(manifest)
    for line in ("dlq list --manifest broken:SERVICE ", "token --manifest broken:SERVICE --scope "):
        assert complete(tmp_path, f"twofold {line}") == []
    assert complete(tmp_path, "twofold build --env ") == []
    assert complete(tmp_path, "twofold build --cloud ") == ["aws", "azure"]


def bash(folder, *lines, name="bash"):
    """Lines that a shell of this name reads: the name of the process is what `--show-completion` looks at."""
    shell = folder / "bin" / name
    shell.parent.mkdir(exist_ok=True)
    if not shell.exists():
        shutil.copy(shutil.which("bash"), shell)
    environ = os.environ | {"HOME": str(folder), "PATH": f"{TWOFOLD.parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [shell, "--norc", "-c", "\n".join(lines)], cwd=folder, env=environ, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


PRESSED = (
    'COMP_WORDS=(twofold secret set ""); COMP_CWORD=3',
    "_twofold_completion twofold twofold set",
    'echo "${COMPREPLY[@]}"',
)


def test_bash_completes_by_the_script_that_is_shown(folder):
    assert bash(folder, 'eval "$(twofold --show-completion)"', *PRESSED) == "payment-api-key\n"


def test_bash_completes_in_a_shell_after_it_was_installed(folder):
    assert "bash completion installed" in bash(folder, "twofold --install-completion", "true")
    assert bash(folder, "source ~/.bashrc", *PRESSED) == "payment-api-key\n"


@pytest.mark.parametrize(
    ("shell", "file", "text"),
    [
        ("zsh", ".zfunc/_twofold", "compdef _twofold_completion twofold"),
        ("fish", ".config/fish/completions/twofold.fish", "complete --command twofold"),
    ],
)
def test_other_shells_find_it_where_they_look(folder, shell, file, text):
    assert text in bash(folder, "twofold --show-completion", "true", name=shell)
    bash(folder, "twofold --install-completion", "true", name=shell)
    assert text in (folder / file).read_text()


def test_a_press_of_the_key_imports_no_cloud_no_web_framework_and_no_tables(folder):
    environ = {"_TWOFOLD_COMPLETE": "complete_bash", "COMP_WORDS": "twofold dlq list ", "COMP_CWORD": "3"}
    code = (
        "import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr)); "
        "from twofold.cli.main import app; app(prog_name='twofold')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=os.environ | environ, capture_output=True, text=True, timeout=60
    )
    assert "payments" in done.stdout
    loaded = set(done.stderr.split())
    assert {"twofold.cli.main", "api.manifest"} <= loaded
    unwanted = {"fastapi", "starlette", "uvicorn", "boto3", "botocore", "azure", "pulumi", "httpx", "rich"}
    assert loaded & (unwanted | {"twofold.bootstrap", "twofold.settings", "twofold.deploy.config"}) == set()
