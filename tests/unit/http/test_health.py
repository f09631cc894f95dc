"""Readiness: a shared cache that is down is told, and is no reason not to serve."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI

from twofold import SecretSpec, ServiceManifest
from twofold.bootstrap import bootstrap
from twofold.emulators.process import free_port
from twofold.http.health import FRESH_SECONDS, CachedReadiness, Ready, readiness, router
from twofold.http.problem import install
from twofold.portable.resilience import Limits, OutboundFailed
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


async def test_a_thousand_probes_ask_once_in_a_second():
    asked, now = [], [0.0]

    async def ask():
        asked.append(now[0])
        await asyncio.sleep(0.01)
        return Ready(status="ready", dependencies=[])

    probed = CachedReadiness(ask, clock=lambda: now[0])
    answers = await asyncio.gather(*(probed() for _ in range(1000)))
    assert len(asked) == 1 and {answer.status for answer in answers} == {"ready"}
    now[0] = FRESH_SECONDS - 0.01
    await probed()
    assert len(asked) == 1
    now[0] = FRESH_SECONDS
    await probed()
    assert asked == [0.0, FRESH_SECONDS]


async def test_who_gives_up_waiting_ends_nobody_elses_question():
    go = asyncio.Event()

    async def ask():
        await go.wait()
        return Ready(status="ready", dependencies=[])

    probed = CachedReadiness(ask)
    impatient, patient = asyncio.create_task(probed()), asyncio.create_task(probed())
    await asyncio.sleep(0)
    impatient.cancel()
    go.set()
    assert (await patient).status == "ready"


async def test_an_open_breaker_is_degraded(tmp_path):
    manifest = ServiceManifest("t", app="x:y")
    services = bootstrap(Settings.load({}, manifest, tmp_path), manifest)
    refusing = httpx.MockTransport(lambda request: httpx.Response(503))
    client = services.outbound("payments", "https://payments.example", Limits(attempts=1), transport=refusing)
    assert (await readiness(services)).status == "ready"
    while not client.is_open:
        with pytest.raises(OutboundFailed):
            await client.request("GET", "/")
    ready = await readiness(services)
    assert ready.status == "degraded" and [(one.name, one.status) for one in ready.dependencies] == [
        ("payments", "down")
    ]
    await services.close()
