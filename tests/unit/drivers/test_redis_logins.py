"""The clouds' logins against a real Redis over TLS, whose ACL users have as password the token that is expected.

What the clouds do beyond that (verify a token's signature and its claims, cut a connection whose login ended) is done here by
the test: it reads the signature itself, and takes passwords and connections away.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from types import SimpleNamespace
from urllib.parse import parse_qsl, quote, urlsplit

import pytest

from tests.emulators.tool import needing
from tools import redis_server
from twofold import redis as protocol
from twofold.aws import cache as aws
from twofold.azure import cache as azure
from twofold.deploy.aws.cache import ACCESS
from twofold.emulators.process import free_port, serving
from twofold.emulators.tls import certificate
from twofold.errors import CacheUnavailable
from twofold.local import cache as local
from twofold.portable.cache import Cache
from twofold.portable.rate_limit import Rate, RateLimiter

SECRET = "a secret access key"
ACL = ACCESS.format(prefix="t").split()  # what the AWS stack gives a unit


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A Redis with TLS that knows no default user but on its plain port, where the test administers it."""
    folder = tmp_path_factory.mktemp("redis")
    pem, plain, tls = certificate(folder), free_port(), free_port()
    options = ["--tls-port", str(tls), "--tls-cert-file", pem, "--tls-key-file", pem, "--tls-ca-cert-file", pem]
    command = needing(lambda: redis_server.command(plain, *options, "--tls-auth-clients", "no"))
    with serving(command, plain):
        yield SimpleNamespace(plain=plain, tls=tls, pem=pem)


@pytest.fixture
async def admin(server, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", server.pem)  # what trusts the clouds' certificates trusts this one
    driver = local.from_url(f"redis://127.0.0.1:{server.plain}")
    yield driver.redis
    await driver.close()


async def allow(admin, login):
    await admin.execute_command("ACL", "SETUSER", login.user, "reset", *ACL, f">{login.password}")


def jwt(**claims):
    parts = ({"alg": "RS256", "typ": "JWT"}, claims)
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + ".s"


class Entra:
    """A credential that gives a new token each time, good for `seconds`."""

    def __init__(self, seconds=3600):
        self.seconds, self.given, self.closed = seconds, [], False

    async def get_token(self, *scopes):
        assert scopes == ("https://redis.azure.com/.default",)
        self.given.append(jwt(oid="1b-2c", n=len(self.given)))
        return SimpleNamespace(token=self.given[-1], expires_on=time.time() + self.seconds)

    async def close(self):
        self.closed = True


async def used(cache):
    """Each kind of command that the kit sends, under the permissions of a unit."""
    await cache.set("a", 1, 60)
    assert await cache.get_or_load("b", 60, one) == 1 and await cache.get("b") == 1
    await cache.delete("b")
    limiter = RateLimiter(cache)
    assert [(await limiter.hit(Rate(1, 60), "l")).allowed for _ in range(2)][1] is False and not limiter._alone
    return await cache.get("a") == 1


async def one():
    return 1


@pytest.fixture(params=["azure", "aws"])
def cloud(request, server, monkeypatch):
    """A driver of each cloud, on this server."""
    if request.param == "azure":
        return azure.from_url(f"azureredis://localhost:{server.tls}", Entra())
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "AKID"),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
        ("AWS_SESSION_TOKEN", "s/+t"),
    ):
        monkeypatch.setenv(name, value)
    return aws.from_url(f"elasticache://localhost:{server.tls}/eu-central-1/shop-dev/shop-dev-http")


async def test_a_unit_enters_with_its_token_and_nothing_else(cloud, admin, server):
    cache = Cache(cloud, prefix="t:")
    with pytest.raises(CacheUnavailable):
        await cloud.ping()
    await allow(admin, await cloud._logins.get())
    assert await used(cache)
    for command in (("FLUSHALL",), ("KEYS", "*"), ("ACL", "LIST"), ("CONFIG", "GET", "*"), ("GET", "elsewhere")):
        with pytest.raises(Exception, match="no permissions"):
            await cloud.redis.execute_command(*command)
    assert {client["user"] for client in await admin.client_list() if client["laddr"].endswith(str(server.tls))} == {
        (await cloud._logins.get()).user
    }
    await cache.close()


async def test_a_login_that_ends_is_renewed_on_the_living_connection(cloud, admin, monkeypatch):
    cache = Cache(cloud, prefix="t:")
    old = await cloud._logins.get()
    await allow(admin, old)
    assert await used(cache)
    before = {client["id"] for client in await admin.client_list() if client["user"] == old.user}
    now = time.time() + (3600 if old.user == "1b-2c" else 900) - protocol.RENEW_SECONDS + 1
    monkeypatch.setattr(protocol.time, "time", lambda: now)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: _datetime(now), raising=True)
    new = await cloud._logins.get()
    assert new.user == old.user and new.password != old.password and new.until > old.until
    await allow(admin, new)  # and the old password is gone
    logins = (await admin.info("commandstats"))["cmdstat_auth"]["calls"]
    assert await used(cache)
    assert (await admin.info("commandstats"))["cmdstat_auth"]["calls"] == logins + 1
    after = {client["id"] for client in await admin.client_list() if client["user"] == old.user}
    assert after == before, "the connection was kept"
    await cache.close()


def _datetime(now):
    import datetime

    return datetime.datetime.fromtimestamp(now, datetime.UTC)


async def test_an_expired_token_is_refused_and_a_new_one_fetched(server, admin):
    entra = Entra(seconds=3600)
    cloud = azure.from_url(f"azureredis://localhost:{server.tls}", entra)
    cache = Cache(cloud, prefix="t:")
    await allow(admin, await cloud._logins.get())
    assert await used(cache)
    # The identity's token is revoked: the server takes the next one only, and ends what the old one opened.
    await admin.execute_command("ACL", "SETUSER", "1b-2c", "resetpass", f">{jwt(oid='1b-2c', n=1)}")
    await admin.execute_command("CLIENT", "KILL", "USER", "1b-2c")
    assert await cache.get("a") in (None, 1)

    while await cache.get("a") != 1:
        await asyncio.sleep(0.05)
    assert len(entra.given) == 2
    await cache.close()
    assert entra.closed


async def test_no_token_is_a_cache_that_is_down(server, admin, monkeypatch):
    from azure.core.exceptions import ClientAuthenticationError

    class Nobody:
        async def get_token(self, *scopes):
            raise ClientAuthenticationError("no identity here")

    cache = Cache(azure.from_url(f"azureredis://localhost:{server.tls}", Nobody()))
    assert await cache.get_or_load("a", 60, one) == 1
    with pytest.raises(CacheUnavailable, match="no token"):
        await cache.ping()
    await cache.close()
    monkeypatch.setattr("botocore.session.Session.get_credentials", lambda self: None)
    cache = Cache(aws.from_url(f"elasticache://localhost:{server.tls}/eu-central-1/shop-dev/u"))
    assert await cache.get_or_load("a", 60, one) == 1
    with pytest.raises(CacheUnavailable, match="no AWS credentials"):
        await cache.ping()
    await cache.close()


async def test_a_certificate_that_nobody_vouches_for_is_refused(server, admin, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE")
    cloud = azure.from_url(f"azureredis://localhost:{server.tls}", Entra())
    with pytest.raises(CacheUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
        await cloud.ping()
    await cloud.close()


async def test_the_iam_token_is_a_presigned_connect_as_sigv4_says(monkeypatch):
    """The signature is computed here once more, from the specification."""
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "AKID"),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
        ("AWS_SESSION_TOKEN", "s/+t"),
    ):
        monkeypatch.setenv(name, value)
    login = await aws.IamLogin("eu-central-1", "shop-dev", "shop-dev-http").renew()
    assert login.user == "shop-dev-http" and 890 < login.until - time.time() <= 900
    parts = urlsplit(f"//{login.password}")
    query = dict(parse_qsl(parts.query))
    signature = query.pop("X-Amz-Signature")
    assert (parts.netloc, parts.path) == ("shop-dev", "/")
    asked = {"Action": "connect", "User": "shop-dev-http", "ResourceType": "ServerlessCache"}
    assert asked.items() <= query.items() and (query["X-Amz-Expires"], query["X-Amz-SignedHeaders"]) == ("900", "host")
    day, scope = query["X-Amz-Date"][:8], f"{query['X-Amz-Date'][:8]}/eu-central-1/elasticache/aws4_request"
    assert query["X-Amz-Credential"] == f"AKID/{scope}" and query["X-Amz-Security-Token"] == "s/+t"
    canonical_query = "&".join(
        f"{quote(key, safe='-_.~')}={quote(value, safe='-_.~')}" for key, value in sorted(query.items())
    )
    empty = hashlib.sha256(b"").hexdigest()
    canonical = f"GET\n/\n{canonical_query}\nhost:shop-dev\n\nhost\n{empty}"
    text = f"AWS4-HMAC-SHA256\n{query['X-Amz-Date']}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{SECRET}".encode()
    for part in (day, "eu-central-1", "elasticache", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    assert hmac.digest(key, text.encode(), "sha256").hex() == signature
