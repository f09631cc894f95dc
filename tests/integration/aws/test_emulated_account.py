"""`make up`: a stack of this repository, and with EMULATED=1 the emulated account that it goes onto.

The engine starts providers as on a user's machine, from PATH: the AWS one is the emulated provider in place of the real
one, which no package registry has; the one of dynamic resources is what the CLI's distribution starts.
"""

import os
import signal
import socket
import subprocess
import sys

import httpx
import pytest

from tests.copies.copy import ROOT
from tests.emulators.tool import needing
from tests.engine.emulated.plugin import DYNAMIC, EMULATED, on_path
from tools import pulumi_cli
from twofold.emulators.process import free_port

TOOL = [sys.executable, str(ROOT / "tools/emulated_account.py")]


@pytest.fixture
def environ(tmp_path):
    needing(pulumi_cli.find)
    return os.environ | {"PULUMI_HOME": str(tmp_path / "home"), "GATEWAY_PORT": str(free_port())}


@pytest.mark.parametrize("cloud", ["azure", "aws"])
def test_make_up_deploys_the_development_stack(cloud):
    for emulated, wanted in (
        ([], f"exec pulumi up --stack dev-{cloud}"),
        (["EMULATED=1"], f"exec .venv/bin/python tools/emulated_account.py {cloud}"),
    ):
        command = ["make", "-n", "up", f"CLOUD={cloud}", *emulated]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert wanted in done.stdout.splitlines()  # among what make tells of itself, when a make runs the tests


@pytest.mark.parametrize(
    ("cloud", "message"),
    [
        ("aws", "the AWS provider's plugin is missing; run: pulumi plugin install resource aws "),
        ("azure", "EMULATED=1 is for CLOUD=aws, not 'azure': "),
    ],
)
def test_what_is_missing_is_told_in_a_line(environ, cloud, message):
    done = subprocess.run([*TOOL, cloud], env=environ, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(message) and done.stderr.count("\n") == 1


def test_a_port_that_is_taken_is_told(environ, plugins):
    with socket.create_server(("127.0.0.1", int(environ["GATEWAY_PORT"]))):
        done = subprocess.run([*TOOL, "aws"], env=environ | plugins, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and done.stderr.startswith(f"port {environ['GATEWAY_PORT']} is taken; ")


@pytest.fixture
def plugins(tmp_path):
    """PATH with both providers."""
    path = on_path(tmp_path, aws=EMULATED, pulumi_python=DYNAMIC)
    return {"PATH": path, "PYTHONPATH": str(ROOT)}


def test_the_stack_is_up_until_it_is_interrupted(environ, plugins):
    process = subprocess.Popen([*TOOL, "aws"], env=environ | plugins, stdout=subprocess.PIPE, text=True)
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "Ctrl-C" in line:
            break
    assert process.poll() is None, "".join(lines)[-3000:]
    host = next(line for line in lines if "curl" in line).partition("Host: ")[2].partition("'")[0]
    account = f"http://127.0.0.1:{environ['GATEWAY_PORT']}"
    with httpx.Client(base_url=account, headers={"Host": host}, timeout=60) as client:
        assert client.get("/health/ready").json()["status"] == "degraded"
        assert client.get("/orders/none").status_code == 401
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(environ["GATEWAY_PORT"]))) != 0
