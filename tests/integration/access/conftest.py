"""The orders service as a resource server of `IssuerFake`, through its whole pipeline, without a socket of its own."""

from contextlib import asynccontextmanager

import httpx
import pytest

from api.manifest import SERVICE
from tests.fakes.issuer import AUDIENCE, IssuerFake
from twofold.bootstrap import bootstrap
from twofold.portable.access_token import TokenVerifier
from twofold.portable.issuer_keys import IssuerKeys
from twofold.portable.oidc import OidcIssuer
from twofold.runtime import Runtime
from twofold.settings import Settings
from twofold.testing import Clock


@pytest.fixture(scope="module")
def issuer():
    with IssuerFake() as fake, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", fake.pem)  # what httpx trusts
        yield fake


@asynccontextmanager
async def resource_server(issuer, folder, clock=None):
    """A client of the service; with a clock, the age of its keys is told by that."""
    environ = {f"TWOFOLD_{block}_URL": f"sqlite:///{folder}/t.db" for block in ("STORE", "QUEUE")}
    environ |= {"TWOFOLD_OIDC_ISSUER": issuer.url, "TWOFOLD_OIDC_AUDIENCE": AUDIENCE}
    settings = Settings.load(environ, SERVICE, folder)
    tokens = clock and TokenVerifier(
        IssuerKeys(OidcIssuer(issuer.url), clock=clock), issuer=issuer.url, audience=AUDIENCE, service=SERVICE.name
    )
    runtime = Runtime(SERVICE, root=folder, services=bootstrap(settings, SERVICE, tokens=tokens))
    # What escapes the pipeline fails the test: a refusal is an answer.
    async with httpx.AsyncClient(transport=httpx.ASGITransport(runtime.asgi), base_url="http://test") as client:
        yield client
    await runtime.stop()


@pytest.fixture
def clock():
    return Clock(1_000.0)


@pytest.fixture
async def client(issuer, tmp_path, clock):
    async with resource_server(issuer, tmp_path, clock) as client:
        yield client
