"""What happens when the issuer rotates, withdraws keys, is down, slow or lies: keys are few to fetch, and outlive it."""

import asyncio
import math

import pytest

from tests.integration.access.conftest import resource_server
from tests.integration.tokens import bearer
from tests.integration.walk import assert_problem
from twofold.emulators.server import Answer
from twofold.portable import oidc
from twofold.portable.issuer_keys import MAX_AGE_SECONDS, MIN_INTERVAL_SECONDS, RETRY_SECONDS


@pytest.fixture(autouse=True)
def recovered(issuer):
    """The issuer as it is when nobody meddles with it."""
    issuer.requests.clear()
    yield
    issuer.clear()
    issuer.go.set()


async def get(client, token):
    return await client.get("/orders/none", headers={"Authorization": f"Bearer {token}"})


async def accepted(client, token):
    answer = await get(client, token)
    assert answer.status_code in (401, 404), answer.text
    return answer.status_code == 404


async def test_a_rotated_key_is_refused_and_its_successor_taken_at_once(client, clock, issuer):
    old = issuer.token()
    assert await accepted(client, old)
    clock.advance(MIN_INTERVAL_SECONDS)
    kept = issuer.rotate("rsa", "rsa-2")
    try:
        assert await accepted(client, issuer.token("rsa-2"))
        assert not await accepted(client, old)
    finally:
        issuer.keys["rsa"] = kept


async def test_a_withdrawn_key_is_refused_within_ten_minutes_without_any_other_token(client, clock, issuer):
    token = issuer.token("ps")
    assert await accepted(client, token)
    kept = issuer.keys.pop("ps")
    try:
        clock.advance(MAX_AGE_SECONDS - 1)
        assert await accepted(client, token)
        clock.advance(1)
        assert not await accepted(client, token)
    finally:
        issuer.keys["ps"] = kept


async def test_many_first_requests_cost_one_fetch(client, issuer):
    token = issuer.token()
    assert all(await asyncio.gather(*(accepted(client, token) for _ in range(50))))
    assert issuer.fetches() == 1


async def test_a_storm_of_unknown_keys_costs_one_fetch_in_half_a_minute(client, clock, issuer):
    assert await accepted(client, issuer.token())
    clock.advance(MIN_INTERVAL_SECONDS)
    storm = [issuer.token(header={"kid": f"made-up-{number}"}) for number in range(200)]
    assert not any(await asyncio.gather(*(accepted(client, token) for token in storm)))
    assert issuer.fetches() == 2
    clock.advance(MIN_INTERVAL_SECONDS - 1)
    assert not await accepted(client, storm[0])
    assert issuer.fetches() == 2
    clock.advance(1)
    assert not await accepted(client, storm[0])
    assert issuer.fetches() == 3


DOWN = {
    "no connection": None,
    "500": Answer(500, {"error": "x"}),
    "404": Answer(404, {}),
    "a redirect": Answer(302, {}, {"Location": "https://issuer.example/"}),
    "no object": Answer(200, ["keys"]),
    "an empty object": Answer(200, {}),
}


@pytest.mark.parametrize("how", DOWN)
async def test_the_last_keys_are_used_while_the_issuer_is_down(client, clock, issuer, how):
    token = issuer.token()
    assert await accepted(client, token)
    issuer.inject(math.inf, DOWN[how])
    for _ in range(3):
        clock.advance(MAX_AGE_SECONDS * 10)
        assert await accepted(client, token)
        assert not await accepted(client, issuer.token(header={"kid": "made-up"}))
    assert await accepted(client, token)
    assert len(issuer.requests) == 2 + 3  # discovery and keys, then one try for each time that they had grown old


@pytest.mark.parametrize("how", DOWN)
async def test_without_any_key_it_is_503_until_the_issuer_is_back(client, clock, issuer, how):
    issuer.inject(math.inf, DOWN[how])
    for _ in range(5):
        answer = await get(client, issuer.token())
        assert_problem(answer, 503, "unavailable")
        assert answer.headers["retry-after"] and issuer.host not in answer.text
    assert len(issuer.requests) == 1  # no storm from here either
    assert (await client.get("/health/live")).status_code == 200
    assert (await client.get("/orders/none")).status_code == 401
    issuer.clear()
    clock.advance(RETRY_SECONDS)
    assert await accepted(client, issuer.token())


async def test_a_slow_issuer_delays_nobody_whose_key_is_known(client, clock, issuer):
    token = issuer.token()
    assert await accepted(client, token)
    issuer.go.clear()
    clock.advance(MAX_AGE_SECONDS)
    first = asyncio.create_task(accepted(client, token))
    while len(issuer.requests) == 2:  # until it has begun to ask again
        await asyncio.sleep(0.01)
    assert all(await asyncio.gather(*(accepted(client, token) for _ in range(20)))) and not first.done()
    issuer.go.set()
    assert await first


async def test_an_issuer_that_hangs_is_given_up_after_three_seconds(client, issuer, monkeypatch):
    assert oidc.DEADLINE_SECONDS == 3
    monkeypatch.setattr(oidc, "DEADLINE_SECONDS", 0.1)
    issuer.go.clear()
    assert_problem(await get(client, issuer.token()), 503, "unavailable")


LIES = {
    "another name": {"issuer": "https://issuer.example"},
    "its name with a slash": {"issuer": lambda issuer: issuer.url + "/"},
    "no name": {"issuer": None},
    "keys without TLS": {"jwks_uri": lambda issuer: f"http://{issuer.host}/keys"},
    "keys in a file": {"jwks_uri": "file:///etc/passwd"},
    "no keys": {"jwks_uri": None},
    "keys that are no address": {"jwks_uri": "https://["},
    "keys that are a number": {"jwks_uri": 1},
}


@pytest.mark.parametrize("lie", LIES)
async def test_an_issuer_that_is_not_what_it_should_be_is_not_trusted(client, issuer, lie, caplog):
    honest = dict(issuer.configuration)
    issuer.configuration |= {key: value(issuer) if callable(value) else value for key, value in LIES[lie].items()}
    try:
        assert_problem(await get(client, issuer.token()), 503, "unavailable")
    finally:
        issuer.configuration = honest
    assert issuer.fetches() == 0 and issuer.url in caplog.text


async def test_tokens_of_a_checkout_are_worth_nothing_where_an_issuer_is_named(issuer, tmp_path):
    async with resource_server(issuer, tmp_path) as client:
        answer = await client.get("/orders/none", headers=bearer())
        assert_problem(answer, 401, "unauthorized")
        for path in ("/.well-known/openid-configuration", "/development-issuer/token"):
            assert (await client.get(path)).status_code == 404
        scheme = (await client.get("/openapi.json")).json()["components"]["securitySchemes"]["oidc"]
        assert scheme["openIdConnectUrl"] == issuer.url + "/.well-known/openid-configuration"
