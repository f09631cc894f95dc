"""An application inside the kit's layers, as a client; no server, no block unless asked for."""

from contextlib import asynccontextmanager

import httpx

from twofold import ServiceManifest
from twofold.bootstrap import bootstrap
from twofold.http.pipeline import wrap
from twofold.settings import Settings


@asynccontextmanager
async def serving(app, folder, **settings):
    manifest = ServiceManifest("t", app="x:y")
    environ = {f"TWOFOLD_{name.upper()}": value for name, value in settings.items()}
    settings = Settings.load(environ, manifest, folder)
    services = bootstrap(settings, manifest)
    transport = httpx.ASGITransport(wrap(app, settings, services), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client
    await services.close()


def slug(answer):
    """The type of an answer that is a problem."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    assert answer.json()["status"] == answer.status_code
    return answer.json()["type"].removeprefix("urn:twofold:problem:")
