"""Every command that the README and the docs show is run: here, by a named test, or listed as needing an account.

Commands are the lines of indented blocks. `commands.yaml` says of each who runs it: `run` (here, in a copy of the tree),
`test: <file>::<function>`, `account: <why>`, `once: <why it is not repeated in a test>`.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.copies.copy import ROOT, Copy
from tests.docs.pages import PAGES, name
from tests.emulators.tool import needing
from tools import pulumi_cli

pytestmark = pytest.mark.random_order(disabled=True)  # one story, in its order

PROGRAMS = (
    "make", "twofold", ".venv/bin/twofold", "pulumi", "az", "aws", "pip", "cp", "func", "git", "curl", "npx", "docker", "cd",
)  # fmt: skip
TEMPLATE_MAKEFILE = ROOT / "twofold/cli/template/Makefile"
TABLE = yaml.safe_load(Path(__file__).with_name("commands.yaml").read_text())
PLACEHOLDERS = {"<digest>": "5" * 64}


def commands(text):
    """The command lines of a page, without comments."""
    lines, fenced = [], False
    for line in text.splitlines():
        if line.startswith("```"):
            fenced = not fenced
        shown = re.match(r"^(?: {4}| {7})(\S.*)$", line)
        if shown and not fenced and shown[1].split(" ")[0] in PROGRAMS:
            lines.append(re.sub(r"\s+#.*$", "", shown[1]).strip())
    return lines


FOUND = {command for page in PAGES for command in commands(page.read_text())}


def test_every_command_is_accounted_for():
    assert sorted(FOUND - set(TABLE)) == [], "new commands: say in tests/docs/commands.yaml who runs them"
    assert sorted(set(TABLE) - FOUND) == [], "no page shows these any more"


@pytest.mark.parametrize("command", [one for one, how in TABLE.items() if isinstance(how, dict) and "test" in how])
def test_the_test_that_runs_it_is_there(command):
    file, _, name = TABLE[command]["test"].partition("::")
    text = (ROOT / file).read_text()
    assert name and re.search(rf"^(async )?def {name}\(", text, re.MULTILINE), f"{command}: {TABLE[command]['test']}"


@pytest.mark.parametrize("command", [one for one, how in TABLE.items() if isinstance(how, dict) and "test" not in how])
def test_what_is_not_run_has_a_reason(command):
    [(kind, reason)] = TABLE[command].items()
    assert kind in ("account", "once") and len(reason) > 10


class Reader:
    """Somebody in a copy of the tree with this environment's Python, and with stacks of staging and prod."""

    def __init__(self, folder: Path) -> None:
        self.folder = Copy(folder / "p").folder
        (self.folder / ".venv").symlink_to(Path(sys.executable).parents[1])
        paths = [str(Path(sys.executable).parent), str(needing(pulumi_cli.find).parent), os.environ["PATH"]]
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("TWOFOLD_", "PULUMI_"))}
        self.environ = kept | {
            "PATH": os.pathsep.join(paths), "PYTHONPATH": str(self.folder), "PULUMI_BACKEND_URL": f"file://{folder}",
            "PULUMI_CONFIG_PASSPHRASE": "test", "PULUMI_HOME": str(folder / "home"), "PULUMI_SKIP_UPDATE_CHECK": "true",
        }  # fmt: skip
        for stack in ("staging-azure", "prod-aws"):
            self.types(f"pulumi stack init --no-select {stack}")

    def types(self, command: str) -> None:
        for shown, value in PLACEHOLDERS.items():
            command = command.replace(shown, value)
        done = subprocess.run(
            ["bash", "-ec", command], cwd=self.folder, env=self.environ, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        assert "Traceback" not in done.stderr


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    return Reader(tmp_path_factory.mktemp("docs"))


@pytest.mark.parametrize("command", [one for one, how in TABLE.items() if how == "run"])
def test_it_runs(reader, command):
    reader.types(command)


MENTIONED = sorted(
    {
        command
        for page in PAGES
        for command in [*re.findall(r"`((?:twofold|make) [a-z][^`]*)`", page.read_text()), *commands(page.read_text())]
        if command.startswith(("twofold ", "make "))
    }
)
"""Inside a sentence, too, where a command may stand without all that it takes."""


@pytest.mark.parametrize("command", MENTIONED)
def test_what_a_sentence_mentions_exists_with_its_options(command):
    from typer.main import get_command

    from twofold.cli.main import app

    first, *rest = re.split(r" && | \|", command)[0].split()
    if first == "make":
        targets = re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text() + TEMPLATE_MAKEFILE.read_text())
        assert [word for word in rest if "=" not in word and word not in targets] == []
        return
    group = get_command(app)
    while rest and hasattr(group, "commands") and rest[0] in group.commands:
        group = group.commands[rest.pop(0)]
    assert group.name in command.split(), "there is no such command"
    known = {option for parameter in group.params for option in parameter.opts}
    assert {word for word in rest if word.startswith("--")} <= known


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_example_in_python_compiles(page):
    for number, example in enumerate(re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)):
        body = "\n".join(f"    {line}" for line in example.rstrip().removesuffix(",").splitlines())
        wrapped = f"async def example():\n{body}\n"
        compile(wrapped, f"{name(page)} {number}", "exec")
        for module, names in re.findall(r"^from (twofold\S*) import (.+)$", example, re.MULTILINE):
            imported = __import__(module, fromlist=["x"])
            assert all(hasattr(imported, name.strip()) for name in names.split(","))
