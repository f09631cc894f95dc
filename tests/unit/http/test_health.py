"""Readiness: a shared cache that is down is told, and is no reason not to serve."""

import httpx
import pytest
from fastapi import FastAPI

from tests.emulators.process import free_port
from twofold import SecretSpec, ServiceManifest
from twofold.bootstrap import bootstrap
from twofold.http.health import readiness, router
from twofold.http.problem import install
from twofold.settings import MARKER, Settings, marker, release


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


async def test_live_confirms_the_release_that_it_is_asked_for_and_tells_none(tmp_path):
    manifest = ServiceManifest("t", app="x:y")
    environ = {"TWOFOLD_ENVIRONMENT": "dev", "TWOFOLD_ROLE": "http", "TWOFOLD_OIDC_ISSUER": "https://i.example"}
    environ |= {"TWOFOLD_OIDC_AUDIENCE": "t"}
    (tmp_path / MARKER).write_text(marker("t", "0.1.0", "azure", "b1"))
    settings = Settings.load(environ, manifest, tmp_path)
    mine = release(marker("t", "0.1.0", "azure", "b1"), environ | {"TWOFOLD_LOG_LEVEL": "", "PATH": "/bin"})
    others = {release(marker("t", "0.1.0", "azure", "b2"), environ), release(marker("t", "0.1.0", "azure", "b1"), {})}
    assert settings.release == mine and mine not in others
    services = bootstrap(settings, manifest)
    app = FastAPI()
    install(app)
    app.include_router(router(services))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        for asked, status in ((mine, 200), ("", 412), *((other, 412) for other in others)):
            answer = await client.get("/health/live", headers={"If-Match": f'"{asked}"'})
            assert answer.status_code == status and mine not in answer.text and mine not in str(answer.headers)
        assert (await client.get("/health/live")).status_code == 200
        assert (await client.get("/health/live", headers={"If-Match": "*"})).status_code == 200


@pytest.mark.parametrize(("deployed", "status"), [(True, "degraded"), (False, "ready")])
async def test_a_secret_without_a_value_is_no_reason_to_be_down(deployed, status, tmp_path, caplog):
    """`pulumi up` comes before `twofold secret set`, and a new version gets traffic only when it is not down."""
    manifest = ServiceManifest("t", app="x:y", secrets=(SecretSpec("api-key", "of the bank"),))
    settings = Settings.load({"TWOFOLD_SECRETS_URL": f"file:///{tmp_path}/secrets"}, manifest, tmp_path)
    services = bootstrap(settings.model_copy(update={"deployed": deployed}), manifest)
    assert (await readiness(services)).status == status
    assert ("secrets is down: " in caplog.text) == deployed  # and the log says why
    await services.close()
