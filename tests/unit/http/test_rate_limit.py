"""Rate limits: whose requests count as whose, what the answers say, and that they are exact across processes."""

import asyncio
import re
import time
import uuid
from types import SimpleNamespace

import httpx
import pytest

from tests.emulators.tool import needing
from tools import redis_server
from twofold.emulators.process import free_port, serving
from twofold.errors import SettingsError
from twofold.http.client_address import client_address
from twofold.http.problem import boundary
from twofold.http.rate_limit import rate_limit
from twofold.local import cache as local
from twofold.manifest import ServiceManifest
from twofold.portable.cache import CONCURRENT_CALLS, Cache
from twofold.portable.rate_limit import MAX_KEYS, Rate, RateLimiter
from twofold.settings import Settings
from twofold.testing import Clock

MANIFEST = ServiceManifest("t", app="x:y")


async def answer(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x-app", b"1")]})
    await send({"type": "http.response.body", "body": scope["path"].encode()})


def authenticate(app):
    """Stands for the layer that verifies tokens: the token `s-1` is the subject `s-1`, any other is refused further in."""

    async def layer(scope, receive, send):
        token = dict(scope["headers"]).get(b"authorization", b"").decode().removeprefix("Bearer ")
        principal = SimpleNamespace(subject=token) if token.startswith("s-") else None
        scope.setdefault("state", {})["principal"] = principal
        await app(scope, receive, send)

    return layer


def service(limiter=None, *, deployed=True, peer="10.0.0.1", **limits):
    """The layers as the pipeline has them, under these limits."""
    settings = Settings(**{f"limit_{kind}": rate for kind, rate in limits.items()})
    limiter = limiter or RateLimiter(Cache(local.open("memory:")))
    app = client_address(
        boundary(authenticate(rate_limit(answer, limiter, settings))),
        deployed=deployed,
    )
    transport = httpx.ASGITransport(app, client=(peer, 1), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://test")


def as_subject(name):
    return {"Authorization": f"Bearer s-{name}"}


async def statuses(client, times, method="GET", **arguments):
    return [(await client.request(method, "/", **arguments)).status_code for _ in range(times)]


async def test_subjects_and_route_classes_count_apart():
    client = service(reads="3/minute", writes="2/minute", anonymous="1/minute")
    assert await statuses(client, 4, headers=as_subject(1)) == [200, 200, 200, 429]
    assert await statuses(client, 1, "HEAD", headers=as_subject(1)) == [429]
    assert await statuses(client, 3, "POST", headers=as_subject(1)) == [200, 200, 429]
    assert await statuses(client, 1, "DELETE", headers=as_subject(1)) == [429]
    assert await statuses(client, 1, headers=as_subject(2)) == [200]
    assert await statuses(client, 2) == [200, 429]


async def test_a_refused_token_counts_against_the_address():
    client = service(anonymous="2/minute")
    guesses = [await statuses(client, 1, headers={"Authorization": f"Bearer guess-{n}"}) for n in range(3)]
    assert guesses == [[200], [200], [429]]


async def test_answers_tell_the_limit_and_when_to_come_back():
    client = service(reads="2/minute")
    first = await client.get("/", headers=as_subject(1))
    assert first.headers["ratelimit-policy"] == '"reads";q=2;w=60' and first.headers["x-app"] == "1"
    assert re.fullmatch('"reads";r=1;t=(59|60)', first.headers["ratelimit"])
    await client.get("/", headers=as_subject(1))
    refused = await client.get("/", headers=as_subject(1))
    assert (refused.status_code, refused.headers["content-type"]) == (429, "application/problem+json")
    assert refused.json()["type"] == "urn:twofold:problem:too-many-requests"
    assert 55 <= int(refused.headers["retry-after"]) <= 60
    assert refused.headers["ratelimit"] == f'"reads";r=0;t={refused.headers["retry-after"]}'
    assert refused.headers["ratelimit-policy"] == '"reads";q=2;w=60'


async def test_health_is_free_and_an_empty_limit_is_none():
    client = service(anonymous="1/minute", reads="")
    assert await statuses(client, 2) == [200, 429]
    for path in ("/health/live", "/health/ready"):
        answers = [await client.get(path) for _ in range(5)]
        assert {one.status_code for one in answers} == {200} and "ratelimit" not in answers[0].headers
    unlimited = [await client.get("/", headers=as_subject(1)) for _ in range(700)]
    assert {one.status_code for one in unlimited} == {200} and "ratelimit" not in unlimited[0].headers


FORGED = ["1.2.3.{n}", "1.2.3.{n}, 9.9.9.{n}", "::{n}", "unknown, {n}.1.1.1", "{n}"]


@pytest.mark.parametrize("forged", FORGED)
async def test_a_forged_address_changes_nothing(forged):
    """Deployed: the front end appends what it saw, here 10.7.7.7, to whatever a client sent."""
    client = service(anonymous="3/minute")
    sent = [{"X-Forwarded-For": f"{forged.format(n=n)}, 10.7.7.7"} for n in range(5)]
    assert [(await statuses(client, 1, headers=one))[0] for one in sent] == [200, 200, 200, 429, 429]
    assert await statuses(client, 1, headers={"X-Forwarded-For": "10.7.7.8"}) == [200]
    lines = [[("X-Forwarded-For", forged.format(n=n)), ("X-Forwarded-For", "10.7.7.8")] for n in range(3)]
    assert [(await statuses(client, 1, headers=one))[0] for one in lines] == [200, 200, 429]


@pytest.mark.parametrize("forged", FORGED)
async def test_in_a_checkout_only_loopback_may_name_an_address(forged):
    client = service(anonymous="3/minute", deployed=False, peer="192.0.2.1")
    answers = [(await statuses(client, 1, headers={"X-Forwarded-For": forged.format(n=n)}))[0] for n in range(4)]
    assert answers == [200, 200, 200, 429]


async def test_an_ipv6_caller_is_its_network():
    client = service(anonymous="2/minute")
    networks = ["2001:db8:0:1::1", "2001:db8:0:1:ffff::2", "2001:db8:0:1::3", "2001:db8:0:2::1"]
    sent = [(await statuses(client, 1, headers={"X-Forwarded-For": one}))[0] for one in networks]
    assert sent == [200, 200, 429, 200]


@pytest.mark.parametrize("kind", ["memory", "redis"])
async def test_a_window_moves(kind, request, patient, monkeypatch):
    url, clock = "memory:" if kind == "memory" else request.getfixturevalue("redis_url"), Clock(int(time.time()))
    monkeypatch.setattr(time, "time", clock)
    cache = Cache(local.open(url), prefix=f"{id(request)}:")
    limiter, rate = RateLimiter(cache, clock=clock), Rate.parse("4/minute")
    for _ in range(2):
        assert [(await limiter.hit(rate, "k")).remaining for _ in range(2)] in ([3, 2], [1, 0])
        clock.advance(24)
    refused = await limiter.hit(rate, "k")
    assert (refused.allowed, refused.remaining, refused.reset) == (False, 0, 12)
    clock.advance(18)  # the first two are older than a minute, the others are not
    assert [(await limiter.hit(rate, "k")).allowed for _ in range(3)] == [True, True, False]
    await limiter._cache.close()


@pytest.fixture
def patient(monkeypatch):
    """However slow this machine is: what counts is the count."""
    monkeypatch.setattr("twofold.portable.cache.CALL_SECONDS", 30)


async def test_exact_across_processes_that_share_a_redis(redis_url, patient):
    limiters = [RateLimiter(Cache(local.open(redis_url), prefix="exact:")) for _ in range(4)]
    clients = [service(limiter, reads="50/minute", anonymous="7/minute") for limiter in limiters]

    async def many(client, times, headers):
        return await statuses(client, times, headers=headers)

    subjects = [f"{redis_url}-a", f"{redis_url}-b"]
    work = [many(client, 25, as_subject(subject)) for client in clients for subject in subjects]
    found = await asyncio.gather(*work)
    for offset, _ in enumerate(subjects):
        mine = [status for one in found[offset :: len(subjects)] for status in one]
        assert (mine.count(200), mine.count(429)) == (50, 50)
    anonymous = await asyncio.gather(*(many(client, 5, {}) for client in clients))
    assert sum(one.count(200) for one in anonymous) == 7
    redis = limiters[0]._cache.driver.redis
    keys = [key async for key in redis.scan_iter("exact:*")]
    assert keys and not any(b"s-" in key for key in keys), "no subject's name is in the cache"
    await redis.delete(*keys)
    for limiter in limiters:
        await limiter._cache.close()


async def test_a_burst_is_counted_exactly_over_few_connections(redis_url, patient):
    prefix = f"burst-{uuid.uuid4().hex}:"
    limiters = [RateLimiter(Cache(local.open(redis_url), prefix=prefix)) for _ in range(4)]
    hits = [limiter.hit(Rate(500, 60), "k") for _ in range(250) for limiter in limiters]
    verdicts = await asyncio.gather(*hits)
    assert sum(verdict.allowed for verdict in verdicts) == 500
    for limiter in limiters:
        assert len(limiter._cache.driver.redis.connection_pool._available_connections) <= CONCURRENT_CALLS
        await limiter._cache.close()


async def test_without_redis_limits_go_on_in_memory_and_come_back(caplog):
    port = free_port()
    command = needing(lambda: redis_server.command(port))
    limiter = RateLimiter(Cache(local.open(f"redis://127.0.0.1:{port}")))
    client = service(limiter, reads="5/minute")
    with serving(command, port):
        assert await statuses(client, 4, headers=as_subject(1)) == [200] * 4
    assert await statuses(client, 7, headers=as_subject(1)) == [200] * 5 + [429] * 2
    assert caplog.text.count("counted in this process alone") == 1
    with serving(command, port):
        for _ in range(200):
            await limiter.hit(Rate(1000, 60), "other")
            if "across processes again" in caplog.text:
                break
            await asyncio.sleep(0.05)
        assert await statuses(client, 6, headers=as_subject(1)) == [200] * 5 + [429]
    assert caplog.text.count("counted across processes again") == 1
    await limiter._cache.close()


async def test_memory_counts_a_bounded_number_of_callers():
    limiter = RateLimiter(Cache(local.open("memory:")), clock=Clock(0))
    for n in range(MAX_KEYS + 5):
        await limiter.hit(Rate(5, 60), str(n))
    assert len(limiter._windows) == MAX_KEYS


@pytest.mark.parametrize("text", ["600", "0/minute", "600/fortnight", "-1/minute", "1e3/day", "600 / minute", "x"])
def test_a_rate_that_is_none_is_told_at_the_start(text, tmp_path):
    with pytest.raises(SettingsError) as told:
        Settings.load({"TWOFOLD_LIMIT_READS": text}, MANIFEST, tmp_path)
    [problem] = told.value.problems
    assert f"TWOFOLD_LIMIT_READS is '{text}': it must be like 600/minute" in problem
