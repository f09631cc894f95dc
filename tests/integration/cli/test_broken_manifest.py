"""A manifest that can't be read is one line in every command, with the file and line where that was raised."""

import pytest
import typer.main

from tests.integration.cli.commands import typed
from twofold.cli.main import app

COMMANDS = {
    "run": "run --port 0", "dev": "dev --port 0", "check": "check", "openapi": "openapi",
    "doctor": "doctor --report --cloud azure", "sbom": "sbom azure", "build": "build --cloud azure",
    "deployer": "deployer --cloud aws", "preflight": "preflight --cloud azure", "describe": "describe --cloud aws",
    "rebuild": "rebuild orders", "catchup": "catchup", "token": "token", "dlq list": "dlq list payments",
    "dlq show": "dlq show payments 1", "dlq redrive": "dlq redrive payments", "dlq purge": "dlq purge payments --yes",
    "secret list": "secret list", "secret set": "secret set payment-api-key",
}  # fmt: skip
BEFORE = "from twofold import QueueSpec, ServiceManifest\n"
BROKEN = {
    "syntax": ("SERVICE = ServiceManifest(\n", "SyntaxError: '(' was never closed", 2),
    "import": ("import nothing_here\n", "ModuleNotFoundError: No module named 'nothing_here'", 2),
    "value": ("SERVICE = ServiceManifest('No Name', 'api.app:app')\n", "ValueError: service 'No Name' must be", 2),
    "type": ("QueueSpec(1)\n", "TypeError: ", 2),
    "lines": ("raise RuntimeError('one\\n\\ntwo')\n", "RuntimeError: one two", 2),
    "end": ("raise SystemExit(0)\n", "SystemExit", 2),
}


def leaves(command, *words):
    for name, one in getattr(command, "commands", {}).items():
        yield from leaves(one, *words, name)
    if not hasattr(command, "commands") and any(param.name == "manifest" for param in command.params):
        yield " ".join(words)


def test_every_command_that_reads_one_is_here():
    others = {"releases"}  # reads it only to fetch, once there is a stack
    assert set(leaves(typer.main.get_command(app))) - others == set(COMMANDS)


@pytest.mark.parametrize("kind", BROKEN)
def test_one_line_says_what_and_where(kind, tmp_path):
    text, what, line = BROKEN[kind]
    (tmp_path / "api").mkdir()
    (tmp_path / "api/__init__.py").touch()
    path = tmp_path / "api/manifest.py"
    path.write_text(BEFORE + text)
    for outcome in typed(tmp_path, *COMMANDS.values()):
        assert (outcome.code, outcome.stdout, outcome.stderr.count("\n")) == (2, "", 1), outcome
        assert outcome.stderr.startswith(f"twofold: can't read the manifest api.manifest:SERVICE: {what}"), outcome
        assert f"({path}, line {line})" in outcome.stderr, outcome


def test_what_is_no_manifest_is_one_line_too(tmp_path):
    (tmp_path / "api").mkdir()
    (tmp_path / "api/__init__.py").touch()
    (tmp_path / "api/manifest.py").write_text("SERVICE = 7\n")
    for outcome in typed(tmp_path, *COMMANDS.values()):
        assert (outcome.code, outcome.stderr) == (
            2,
            "twofold: api.manifest:SERVICE is a int, not a ServiceManifest\n",
        ), outcome
