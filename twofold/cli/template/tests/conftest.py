"""The service for one test: every block is the test's own, so that none touches what `make run` and `make dev` work with."""

import httpx
import pytest
import pytest_asyncio

from api.manifest import SERVICE
from twofold.local.issuer import DevelopmentIssuer
from twofold.runtime import Runtime


@pytest_asyncio.fixture
async def runtime(tmp_path):
    """The service in process, nothing of it started beside the test: `runtime.services` are its blocks."""
    file = f"sqlite:///{tmp_path}/test.db"
    environ = {
        "TWOFOLD_STORE_URL": file,
        "TWOFOLD_QUEUE_URL": file,
        "TWOFOLD_SECRETS_URL": f"file:///{tmp_path}/secrets",
        "TWOFOLD_CACHE_URL": "memory:",
        "TWOFOLD_EVENTS_URL": "log:",
    }
    running = Runtime(SERVICE, root=tmp_path, environ=environ)
    yield running
    await running.stop()


@pytest.fixture
def services(runtime):
    """The blocks, as handlers get them."""
    return runtime.services


@pytest_asyncio.fixture
async def client(runtime):
    """Who calls with every scope, through the service's own HTTP layers."""
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(runtime.asgi),
        base_url="http://test",
        headers={"Authorization": f"Bearer {DevelopmentIssuer().token(SERVICE)}"},
    ) as http:
        yield http
