"""Forged addresses through all three doors: whatever a client writes, its requests count as one caller's."""

import sys

import httpx
import pytest

from tests.copies.copy import ROOT
from tests.integration.local.service import Service
from twofold.emulators.lambda_host import LambdaHost
from twofold.emulators.process import free_port, serving

LIMIT = 5
FORGED = ["1.2.3.{n}", "1.2.3.{n}, 9.9.9.{n}", "::{n}", "127.0.0.{n}", "unknown", "{n}.{n}.{n}.{n}:80"]


@pytest.fixture(params=["local", "lambda", "functions"])
def door(request, tmp_path):
    """A client of a checkout behind a door, and what its front end appends where the emulator has none."""
    environ = {
        "TWOFOLD_STORE_URL": f"sqlite:///{tmp_path}/t.db",
        "TWOFOLD_QUEUE_URL": f"sqlite:///{tmp_path}/t.db",
        "TWOFOLD_SECRETS_URL": f"file:///{tmp_path}/secrets",
        "TWOFOLD_LIMIT_ANONYMOUS": f"{LIMIT}/minute",
    }
    if request.param == "local":
        service = Service(tmp_path, **environ)
        yield service.url, "10.7.7.7"
        service.kill()
    elif request.param == "lambda":
        host = LambdaHost(ROOT, environ)
        yield host.url, None
        host.close()
    else:
        port = free_port()
        command = [sys.executable, str(ROOT / "twofold/emulators/functions_host.py"), str(ROOT), str(port)]
        with serving(command, port, environ) as url:
            yield url, None


def test_a_forged_address_changes_nothing(door):
    url, appended = door
    with httpx.Client(base_url=url, timeout=60) as client:
        answers = []
        for n in range(LIMIT + 3):
            forged = FORGED[n % len(FORGED)].format(n=n)
            sent = forged if appended is None else f"{forged}, {appended}"
            answers.append(client.get("/orders/none", headers={"X-Forwarded-For": sent}))
        assert [one.status_code == 429 for one in answers] == [False] * LIMIT + [True] * 3
        refused = answers[-1]
        assert refused.headers["content-type"] == "application/problem+json" and int(refused.headers["retry-after"]) > 0
        assert refused.headers["ratelimit-policy"] == f'"anonymous";q={LIMIT};w=60' and "ratelimit" in refused.headers
        assert answers[0].headers["ratelimit"].startswith(f'"anonymous";r={LIMIT - 1};t=')
        assert client.get("/health/live").status_code == 200
