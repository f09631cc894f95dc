"""Every server sends its answers at once: 40 ms a request otherwise, since Nagle's algorithm waits for a delayed ACK."""

import os
import sys
from contextlib import contextmanager

import httpx
import pytest

from tests.copies.copy import ROOT
from tests.integration.accepted import accepted
from twofold.emulators import functions_host, local
from twofold.emulators.event_grid import EventGridFake
from twofold.emulators.inherited_socket import InheritedSocketServer
from twofold.emulators.lambda_host import LambdaHost
from twofold.emulators.managed_identity import ManagedIdentityFake
from twofold.emulators.process import free_port, serving

MANIFEST = "tests.integration.accepted:SERVICE"


@contextmanager
def door(folder):
    port = free_port()
    command = [sys.executable, "-m", "twofold.cli.main", "run", "--manifest", MANIFEST, "--port", str(port)]
    with serving(command, port, folder=folder) as url:
        yield url


@contextmanager
def dev(folder):
    with local.environment(MANIFEST, folder, 0) as environment:
        environment.host.start()
        yield environment.url


@contextmanager
def functions(folder):
    port = free_port()
    with serving([sys.executable, functions_host.__file__, str(folder), str(port)], port, folder=folder) as url:
        yield url


@contextmanager
def functions_dev(folder):
    host = InheritedSocketServer([], [functions_host.__file__, str(folder), "--fd"], folder, {}, 0)
    host.start()
    try:
        yield host.url
    finally:
        host.close()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "api").mkdir()
    (tmp_path / "api/__init__.py").touch()
    (tmp_path / "api/manifest.py").write_text("from tests.integration.accepted import SERVICE\n")
    for file in ("function_app.py", "lambda_function.py", "host.json"):
        (tmp_path / file).symlink_to(ROOT / file)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(ROOT)]))
    return tmp_path


@pytest.mark.parametrize("serve", [door, dev, functions, functions_dev])
def test_a_server_in_a_process_of_its_own(serve, folder):
    with serve(folder) as url, httpx.Client(base_url=url, timeout=60) as client:
        port = httpx.URL(url).port
        options = client.get("/accepted", params={"port": port}).json()
    assert options and all(options)


def test_lambdas_front(folder):
    host = LambdaHost(folder, {"PYTHONPATH": os.environ["PYTHONPATH"]})
    with httpx.Client(base_url=host.url, timeout=60) as client:
        assert client.get("/accepted", params={"port": 1}).status_code == 200
        front = accepted(httpx.URL(host.url).port)
    host.close()
    assert front and all(front)


@pytest.mark.parametrize("fake", [EventGridFake, ManagedIdentityFake])
def test_a_fake(fake):
    with fake() as server, httpx.Client(verify=False) as client:
        scheme = "http" if fake is ManagedIdentityFake else "https"
        client.get(f"{scheme}://{server.host}/")
        assert accepted(int(server.host.rpartition(":")[2])) == [True]
