"""Through the Functions worker's own library: behind a gateway, only what the host says came from it is served."""

import sys

import httpx
import pytest

from tests.copies.copy import ROOT
from twofold.emulators.process import free_port, serving

GATEWAY = "0b7e5a54-0000-4000-8000-00000000000a"


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    port, folder = free_port(), tmp_path_factory.mktemp("store")
    environ = {"TWOFOLD_GATEWAY_ID": GATEWAY, "TWOFOLD_FORWARDED_HOPS": "2"}
    environ |= {f"TWOFOLD_{block}_URL": f"sqlite:///{folder}/t.db" for block in ("STORE", "QUEUE")}
    with serving(
        [sys.executable, "twofold/emulators/functions_host.py", ".", str(port)], port, environ, folder=ROOT
    ) as served:
        yield served


def test_the_gateway_is_served_and_nobody_else(url):
    through = {"X-MS-CLIENT-PRINCIPAL-ID": GATEWAY, "Authorization": "Bearer the-gateways"}
    assert httpx.get(f"{url}/health/live", headers=through).status_code == 200
    for headers in ({}, {"Authorization": "Bearer x"}, {"X-MS-CLIENT-PRINCIPAL-ID": "another"}):
        answer = httpx.get(f"{url}/health/live", headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (403, "application/problem+json")
