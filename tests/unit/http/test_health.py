"""Readiness: a shared cache that is down is told, and is no reason not to serve."""

import httpx
import pytest
from fastapi import FastAPI

from tests.emulators.process import free_port
from twofold import ServiceManifest
from twofold.bootstrap import bootstrap
from twofold.http.health import router
from twofold.settings import Settings


async def ready(folder, cache_url):
    manifest = ServiceManifest("t", app="x:y")
    services = bootstrap(Settings.load({"TWOFOLD_CACHE_URL": cache_url}, manifest, folder), manifest)
    app = FastAPI()
    app.include_router(router(services))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        answer = await client.get("/health/ready")
    await services.close()
    return answer.status_code, answer.json()["status"], [one["name"] for one in answer.json()["dependencies"]]


@pytest.mark.parametrize("up", [True, False])
async def test_a_shared_cache_is_a_dependency_that_is_not_critical(up, tmp_path, redis_url):
    url = redis_url if up else f"redis://127.0.0.1:{free_port()}"
    assert await ready(tmp_path, url) == (200, "ready" if up else "degraded", ["cache"])


async def test_memory_is_no_dependency(tmp_path):
    assert await ready(tmp_path, "memory:") == (200, "ready", [])
