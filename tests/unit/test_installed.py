"""`twofold doctor` on a bare machine, on one that has everything, and on what is stale or does not answer."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from twofold.cli import doctor, installed, tools

ROOT = Path(__file__).parents[2]
NEEDED = {
    "Python 3.13", "uv", "lock requirements/aws.txt", "lock requirements/azure.txt", "this project's .venv", "Pulumi CLI",
}  # fmt: skip
OPTIONAL = {"node", "go", "redis-server", "prometheus", "docker", "func", "az", "aws"}


def nobody(machine, cloud):
    return False, "no login"


def somebody(machine, cloud):
    return True, f"deployer of {cloud}"


@pytest.fixture
def machine(tmp_path):
    """A bare one: a service without locks, an empty home, nothing on PATH."""
    for name in ("service", "home", "bin"):
        (tmp_path / name).mkdir()
    (tmp_path / "service/pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    (tmp_path / "service/Makefile").write_bytes((ROOT / "Makefile").read_bytes())
    return doctor.Machine({"PATH": str(tmp_path / "bin")}, tmp_path / "home", tmp_path / "service")


def program(machine, name, text=""):
    path = Path(machine.environ["PATH"]) / name
    path.write_text(text)
    path.chmod(0o755)


def fill(machine):
    for name in ("python3.13", "uv", "pulumi-language-python", *OPTIONAL):
        program(machine, name)
    program(machine, "pulumi", "#!/bin/sh\necho v3.250.0\n")
    program(machine, "docker", "#!/bin/sh\n")
    (machine.root / "Pulumi.yaml").write_bytes((ROOT / "Pulumi.yaml").read_bytes())
    (machine.root / "requirements").mkdir()
    for lock in (ROOT / "requirements").glob("*.txt"):
        (machine.root / "requirements" / lock.name).write_bytes(lock.read_bytes())
    (machine.root / ".venv").mkdir()
    (machine.root / ".venv/.installed").write_text("")


def test_a_bare_machine_names_each_missing_piece_and_its_one_command(machine):
    checks = installed.installed(machine, nobody)
    assert not any(check.fine for check in checks)
    assert all(check.command and "\n" not in check.command for check in checks)
    assert {check.what for check in checks if check.needed} == NEEDED
    assert {check.what.partition(" (")[0] for check in checks if not check.needed} == OPTIONAL | {
        "login to azure", "login to aws",
    }  # fmt: skip
    commands = {check.what: check.command for check in checks}
    assert (commands["uv"], commands["this project's .venv"]) == ("python3 -m pip install uv", "make install")
    assert commands["login to azure (deploying)"] == "az login"


def test_with_everything_there_it_is_green(machine):
    fill(machine)
    checks = installed.installed(machine, somebody)
    assert [check for check in checks if not check.fine or check.command] == []
    assert {check.what for check in checks} >= NEEDED | {"lock requirements/dev.txt"}
    assert "deployer of aws" in {check.found for check in checks}


def test_a_lock_that_lacks_something_or_pins_what_is_not_allowed_is_stale(machine):
    fill(machine)
    project = machine.root / "pyproject.toml"
    project.write_text(project.read_text().replace('"mangum>=0.19"', '"mangum>=99", "polars>=1.0"'))
    stale = {check.what: check for check in installed.installed(machine, somebody) if not check.fine}
    assert set(stale) == {"lock requirements/aws.txt", "lock requirements/dev.txt"}
    check = stale["lock requirements/aws.txt"]
    assert check.found == "older than pyproject.toml: mangum, polars" and check.command == "make lock"


def test_an_environment_older_than_its_lock_is_stale(machine):
    fill(machine)
    os.utime(machine.root / "requirements/dev.txt", (time.time() + 60,) * 2)
    [stale] = [check for check in installed.installed(machine, somebody) if not check.fine]
    assert (stale.what, stale.command) == ("this project's .venv", "make install")


def test_an_old_pulumi_and_one_without_its_language_host_are_told(machine):
    fill(machine)
    program(machine, "pulumi", "#!/bin/sh\necho v3.99.1\n")
    [old] = [check for check in installed.installed(machine, somebody) if not check.fine]
    assert "is 3.99.1, and Pulumi.yaml wants 3.219.0" in old.found and old.command.startswith("curl")
    (Path(machine.environ["PATH"]) / "pulumi-language-python").unlink()
    [half] = [check for check in installed.installed(machine, somebody) if not check.fine]
    assert half.found.endswith("without pulumi-language-python")


def test_a_pulumi_that_its_installer_put_where_no_command_looks_is_told_so_by_all(machine):
    own = machine.home / ".pulumi/bin/pulumi"
    own.parent.mkdir(parents=True)
    own.write_text("")
    [check] = [check for check in installed.installed(machine, nobody) if check.what == "Pulumi CLI"]
    with pytest.raises(tools.MissingProgram) as command:
        tools.pulumi(machine.environ, machine.home)
    assert check.found == command.value.problem == f"the Pulumi CLI is {own}, which is not on PATH"
    assert check.command == 'export PATH="$HOME/.pulumi/bin:$PATH"' and check.command in str(command.value)


def test_an_engine_that_does_not_answer_is_none_for_all(machine):
    program(machine, "docker", "#!/bin/sh\nexit 1\n")
    with pytest.raises(tools.MissingProgram) as command:
        tools.engine(machine.environ)
    [check] = [check for check in installed.installed(machine, nobody) if check.what.startswith("docker")]
    assert not check.fine and check.found == command.value.problem and "no container engine answers" in check.found
    program(machine, "podman", "#!/bin/sh\nexit 0\n")
    [check] = [check for check in installed.installed(machine, nobody) if check.what.startswith("docker")]
    assert check.fine and check.found == tools.engine(machine.environ)


def test_a_login_that_lacks_its_sdk_names_what_brings_it(machine):
    (machine.root / "Makefile").write_text("install:\ndeployable: install\n")
    checks = installed.installed(machine, lambda machine, cloud: (False, "No module named 'boto3'"))
    assert {check.command for check in checks if check.what.startswith("login")} == {"make deployable"}


@pytest.mark.parametrize("cloud", ["azure", "aws"])
def test_without_a_login_there_is_one_line_and_no_traceback(machine, cloud):
    bare = doctor.Machine({"PATH": "/nowhere", "AWS_EC2_METADATA_DISABLED": "true"}, machine.home, machine.root)
    fine, message = installed.login(bare, cloud)
    assert not fine and message and "\n" not in message and "Traceback" not in message


def test_a_cloud_that_does_not_answer_is_given_up_at_the_deadline(machine):
    assert installed.login(machine, "aws", 0.01) == (False, "no answer within 0 s")


def test_a_login_that_works_is_told_whose_it_is(machine, ministack):
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_ENDPOINT_URL": ministack}
    fine, name = installed.login(doctor.Machine(keys, machine.home, machine.root), "aws")
    assert fine and name.startswith("arn:aws:")


def test_the_command_answers_for_a_program_and_fails_when_something_needed_is_missing(tmp_path):
    command = [str(Path(sys.executable).with_name("twofold")), "doctor", "--json"]
    bare = {"PATH": str(tmp_path), "HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true"}
    done = subprocess.run(command, cwd=tmp_path, env=bare, capture_output=True, text=True)
    missing = {check["what"] for check in json.loads(done.stdout) if not check["fine"] and check["needed"]}
    assert done.returncode == 1 and "Pulumi CLI" in missing and "Traceback" not in done.stderr
