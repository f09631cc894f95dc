"""`twofold secret` as an operator uses it: typed without echo, piped, and what is refused."""

import json
import os
import pty
import subprocess
import sys
import uuid
from pathlib import Path

import boto3
import pytest

from tests.copies.copy import ROOT
from tests.emulators.fixtures import DUMMY, REGION

NAME, CANARY = "payment-api-key", "canary-7f3a91"
TWOFOLD = Path(sys.executable).with_name("twofold")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "api").symlink_to(ROOT / "api")
    return tmp_path


def secret(folder, *arguments, value="", code=0, **environ):
    done = subprocess.run(
        [TWOFOLD, "secret", *arguments], cwd=folder, env=os.environ | {"COLUMNS": "160"} | environ, input=value,
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == code and "Traceback" not in done.stderr, done.stdout + done.stderr
    assert CANARY not in done.stdout + done.stderr
    return done.stderr if code else done.stdout


def test_a_value_is_piped_and_the_list_tells_that_it_is_there(folder):
    assert "missing" in secret(folder, "list")
    secret(folder, "set", NAME, value=f"{CANARY}\n")
    output = secret(folder, "list")
    assert NAME in output and "set" in output and "missing" not in output
    assert (folder / ".data/secrets" / NAME).read_text() == CANARY
    assert (folder / ".data/secrets" / NAME).stat().st_mode & 0o077 == 0


def test_a_program_is_told_the_same(folder):
    [missing] = json.loads(secret(folder, "list", "--json"))
    assert (missing["name"], missing["state"], missing["reason"]) == (NAME, "missing", None) and missing["description"]
    assert json.loads(secret(folder, "set", NAME, "--json", value=CANARY)) == {"name": NAME, "state": "set"}
    assert json.loads(secret(folder, "list", "--json")) == [missing | {"state": "set"}]


def test_a_value_is_typed_twice_without_echo(folder):
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(folder)
        os.execv(TWOFOLD, [str(TWOFOLD), "secret", "set", NAME])
    shown = b""
    for prompt in (b"api-key: ", b"confirmation: "):  # the space is getpass', which first drops what was typed before
        while prompt not in shown:
            shown += os.read(terminal, 1024)
        os.write(terminal, CANARY.encode() + b"\n")
    try:
        while part := os.read(terminal, 1024):
            shown += part
    except OSError:  # Linux: the other end closed
        pass
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, shown
    assert CANARY.encode() not in shown and b"is set" in shown
    assert (folder / ".data/secrets" / NAME).read_text() == CANARY


def test_mistakes_are_told(folder):
    assert "it has payment-api-key" in secret(folder, "set", "payment-key", value=CANARY, code=2)
    assert "1 to" in secret(folder, "set", NAME, value="", code=2)
    assert not (folder / ".data/secrets").exists()


def test_a_stacks_outputs_say_which_vault(folder, ministack, tmp_path):
    prefix = f"t{uuid.uuid4().hex[:8]}"
    vault = boto3.client("secretsmanager", region_name=REGION, endpoint_url=ministack, **DUMMY)
    vault.create_secret(Name=f"{prefix}/{NAME}")  # the stack makes it without a value
    cli = tmp_path / "bin" / "pulumi"
    cli.parent.mkdir()
    url = f"secretsmanager://{REGION}/{prefix}?endpoint={ministack}"
    cli.write_text(f"""#!/bin/sh\n[ "$5" = dev-aws ] && echo '{{"secrets_url": "{url}"}}'\n""")
    cli.chmod(0o755)
    environ = {"PATH": f"{cli.parent}{os.pathsep}{os.environ['PATH']}"}
    aws = ("--cloud", "aws", "--env", "dev")
    assert "missing" in secret(folder, "list", *aws, **environ)
    secret(folder, "set", NAME, *aws, value=CANARY, **environ)
    assert "missing" not in secret(folder, "list", *aws, **environ)
    assert vault.get_secret_value(SecretId=f"{prefix}/{NAME}")["SecretString"] == CANARY
    assert not (folder / ".data/secrets").exists()
