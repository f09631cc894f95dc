"""`twofold doctor --offline` on a machine that has nothing, on one that has all, and on one that has mirrors."""

import json
import platform
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from twofold.cli import doctor

ROOT = Path(__file__).parents[2]
TOOLS = ("pulumi", "docker", "func", "redis-server", "uv")
MIRRORS = {
    "PIP_INDEX_URL": "x", "UV_DEFAULT_INDEX": "x", "GOPROXY": "x", "npm_config_registry": "x",
    "PULUMI_PLUGIN_DOWNLOAD_URL_OVERRIDES": "x", "FUNCTIONS_EXTENSIONBUNDLE_SOURCE_URI": "x",
}  # fmt: skip


@pytest.fixture
def machine(tmp_path):
    """A bare one, with this repository's locks and tools and an empty home."""
    root = tmp_path / "service"
    for name in ("requirements", "tools"):
        (root / name).mkdir(parents=True)
        for path in (ROOT / name).glob("*.*"):
            (root / name / path.name).write_bytes(path.read_bytes())
    (tmp_path / "bin").mkdir()
    return doctor.Machine({"PATH": str(tmp_path / "bin")}, tmp_path / "home", root)


def program(machine, *names):
    for name in names:
        path = Path(machine.environ["PATH"]) / name
        path.write_text("")
        path.chmod(0o755)


def put(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")


def test_a_bare_machine_lacks_everything_and_is_told_how_to_get_it(machine):
    checks = doctor.offline(machine)
    assert len(checks) >= 15 and not any(check.fine for check in checks)
    assert all(check.command for check in checks)


def test_on_a_full_machine_all_is_there(machine):
    import hashlib

    program(machine, "pulumi", "redis-server", "prometheus", "uv", "pulumi-resource-azure-native")
    for lock in ("aws", "azure"):
        digest = hashlib.sha256((machine.root / f"requirements/{lock}.txt").read_bytes()).hexdigest()[:24]
        put(machine.cache / f"wheels/{digest}-{platform.python_version()}/x.py")
    put(machine.root / ".venv/.installed")
    for name in (
        "actionlint-1/actionlint",
        "otelcol-1/otelcol",
        "kusto-1/node_modules/x",
        "azurite-1/node_modules/x",
        "checkov-1/done",
    ):
        put(machine.cache / name)
    for name in ("aws", "random"):
        put(machine.home / f".pulumi/plugins/resource-{name}-v{version(f'pulumi-{name}')}/pulumi-resource-{name}")
    checks = doctor.offline(machine)
    assert [check.what for check in checks if not check.fine] == [] and len(checks) >= 15
    assert all(check.command == "" for check in checks)


def test_mirrors_will_do(machine):
    machine.environ.update(MIRRORS)
    program(machine, "func", "redis-server", "prometheus")
    assert [check.what for check in doctor.offline(machine) if not check.fine] == []


def test_another_lock_is_another_download(machine):
    import hashlib

    lock = machine.root / "requirements/aws.txt"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()[:24]
    put(machine.cache / f"wheels/{digest}-{platform.python_version()}/x.py")

    def state():
        return {check.what: check.fine for check in doctor.offline(machine)}["wheels of requirements/aws.txt"]

    assert state()
    lock.write_text(lock.read_text() + "\n# newer")
    assert not state()


def test_each_check_is_a_line_of_the_docs(machine):
    """And what the docs name as a mirror setting is what is looked at."""
    text = (ROOT / "docs/offline.md").read_text()
    program(machine, "docker", "func")
    for check in doctor.offline(machine):
        kind = re.sub(r" (of|\(|aws|azure-native|random).*", "", check.what)
        assert kind in text, kind
    assert all(name in text for name in MIRRORS)


def test_the_command_answers_for_a_program(tmp_path):
    command = [str(Path(sys.executable).with_name("twofold")), "doctor", "--offline", "--json"]
    bare = {"PATH": str(tmp_path), "HOME": str(tmp_path)}
    done = subprocess.run(command, cwd=tmp_path, env=bare, capture_output=True, text=True)
    checks = json.loads(done.stdout)
    assert done.returncode == 1 and {check["what"] for check in checks if not check["fine"]} >= {
        "Pulumi CLI (Go modules)"
    }
