"""Bad tokens are refused with 401, good ones accepted: all of them through the whole pipeline of the orders service."""

import time

import pytest
import pytest_asyncio

from tests.integration.access.attacks import ATTACKS
from tests.integration.access.conftest import resource_server
from tests.integration.walk import assert_problem

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(issuer, tmp_path_factory):
    async with resource_server(issuer, tmp_path_factory.mktemp("service")) as client:
        yield client


async def get(client, sent, path="/orders/none"):
    values = [f"Bearer {sent}"] if isinstance(sent, str) else sent
    fields = [(b"authorization", value if isinstance(value, bytes) else value.encode("latin-1")) for value in values]
    return await client.get(path, headers=fields)


async def test_there_are_enough():
    assert len(ATTACKS) >= 40


@pytest.mark.parametrize("name", ATTACKS)
async def test_a_bad_token_is_refused(client, issuer, name):
    make, reason = ATTACKS[name]
    before = set(issuer.requests)
    answer = await get(client, make(issuer))
    assert_problem(answer, 401, "unauthorized")
    challenge = answer.headers["www-authenticate"]
    if reason is None:  # no token was sent: RFC 6750 wants no error then
        assert challenge == 'Bearer realm="orders", scope="orders.read"'
    else:
        assert challenge.startswith('Bearer realm="orders", error="invalid_token", error_description="')
        assert reason in challenge and reason in answer.json()["detail"]
    # What a token points to is never fetched.
    own = {("GET", "/realms/shop/.well-known/openid-configuration"), ("GET", "/keys")}
    assert set(issuer.requests) - before <= own
    # Nor is a bad token let through where none is needed.
    assert (await get(client, make(issuer), "/health/live")).status_code == (200 if reason is None else 401)


GOOD = {
    **{f"signed with {kid}": {"kid": kid} for kid in ("rsa", "ps", "ec256", "ec384", "ec521", "ed")},
    **{
        f"signed with {algorithm}": {"header": {"alg": algorithm}}
        for algorithm in ("RS384", "RS512", "PS256", "PS384", "PS512")
    },
    "signed with Ed25519, its newer name": {"kid": "ed", "header": {"alg": "Ed25519"}},
    **{f"typ {typ}": {"header": {"typ": typ}} for typ in ("JWT", "jwt", "AT+JWT", "application/at+jwt", None)},
    "an unknown header parameter": {"header": {"x-own": 1, "x5t": "dGh1bWI"}},
    "an embedded key that nobody looks at": {"header": {"jwk": {"kty": "oct"}}},
    "one of several audiences": {"aud": ["billing", "orders"]},
    "expired within the leeway": {"exp": lambda: time.time() - 20},
    "exp with a fraction": {"exp": lambda: int(time.time()) + 600.5},
    "nbf and iat within the leeway": dict.fromkeys(("nbf", "iat"), lambda: int(time.time()) + 30),
    "without iat": {"iat": None},
    "Entra ID, delegated": {"scope": None, "scp": "orders.read orders.write", "ver": "2.0", "header": {"typ": "JWT"}},
    "Entra ID, application": {"scope": None, "roles": ["orders.read"], "idtyp": "app"},
    "Okta: scp as a list": {"scope": None, "scp": ["orders.read"]},
    "Keycloak": {"typ": "Bearer", "azp": "shop", "header": {"typ": "JWT"}, "realm_access": {"roles": ["x"]}},
    "Auth0": {"sub": "auth0|5f7c8ec7c33c6c004bbafe82", "aud": ["orders", "https://shop.eu.auth0.com/userinfo"]},
    "a subject beyond ASCII": {"sub": "Jürgen 🦊"},
    "a subject of 255 characters": {"sub": "s" * 255},
    "unknown claims": {"groups": ["a"] * 100, "nested": {"a": [1, None]}},
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
async def test_a_good_token_is_accepted(client, issuer, name):
    changes = {key: value() if callable(value) else value for key, value in GOOD[name].items()}
    assert_problem(await get(client, issuer.token(**changes)), 404, "order-not-found")


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER ", "Bearer   "])
async def test_the_scheme_is_read_without_case_and_with_any_spaces(client, issuer, scheme):
    assert_problem(await get(client, [scheme + issuer.token() + " "]), 404, "order-not-found")


@pytest.mark.parametrize("scope", [None, "", "openid", "orders.readx", "orders.write", "ORDERS.READ", "x/orders.read"])
async def test_a_good_token_without_the_scope_gets_403_and_is_told_which(client, issuer, scope):
    answer = await get(client, issuer.token(scope=scope))
    assert_problem(answer, 403, "forbidden")
    challenge = 'error="insufficient_scope", error_description="the token lacks orders.read", scope="orders.read"'
    assert answer.headers["www-authenticate"] == f'Bearer realm="orders", {challenge}'


@pytest.mark.parametrize(
    "scopes", [{"scope": ["orders.read"]}, {"scope": None, "scp": {"orders.read": 1}, "roles": "x"}]
)
async def test_scopes_of_another_form_are_no_scopes_or_are_read(client, issuer, scopes):
    answer = await get(client, issuer.token(**scopes))
    assert answer.status_code == (404 if isinstance(scopes["scope"], list) else 403)
