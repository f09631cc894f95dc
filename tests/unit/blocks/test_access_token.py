"""Whatever is sent, the answer is a Principal or TokenRefused: random text, and random claims under a good signature."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey

from tests.fakes.issuer import compact
from twofold.errors import IssuerUnavailable, TokenRefused
from twofold.portable.access_token import Principal, TokenVerifier
from twofold.portable.issuer_keys import IssuerKeys, usable

KEY = ECKey.generate_key("P-256", {"kid": "k"})
HEADER = {"alg": "ES256", "kid": "k", "typ": "at+jwt"}
CLAIMS = {"iss": "i", "aud": "a", "sub": "c-1", "exp": int(time.time()) + 3600}
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["access", "a", "i", "Bearer"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
NAMES = st.sampled_from(
    [
        "iss",
        "aud",
        "sub",
        "exp",
        "nbf",
        "iat",
        "jti",
        "scope",
        "scp",
        "roles",
        "typ",
        "token_use",
        "client_id",
        "at_hash",
    ]
)
PARAMETERS = st.sampled_from(["alg", "kid", "typ", "cty", "crit", "b64", "jwk", "jku", "x5u", "x5c", "x5t", "zip"])


class Source:
    """Publishes what it is told to."""

    def __init__(self, *jwks):
        self.jwks = jwks

    async def fetch(self):
        return self.jwks


def verifier():
    return TokenVerifier(IssuerKeys(Source(KEY.as_dict(private=False))), issuer="i", audience="a", service="s")


async def outcome(token):
    try:
        return await verifier().verify(token)
    except TokenRefused as exc:
        assert str(exc).isascii() and str(exc).isprintable() and '"' not in str(exc)
        return exc


@given(st.text() | st.from_regex(r"[\w-]*\.[\w-]*\.[\w-]*", fullmatch=True))
async def test_random_text_is_refused(text):
    assert isinstance(await outcome(text), TokenRefused)


@given(st.dictionaries(NAMES, VALUES, max_size=5), st.dictionaries(PARAMETERS, VALUES, max_size=2))
async def test_random_claims_and_headers_are_refused_or_give_a_principal(claims, header):
    payload = json.dumps(CLAIMS | claims).encode()
    result = await outcome(compact(json.dumps(HEADER | header).encode(), payload, "ES256", KEY))
    if isinstance(result, Principal):
        assert result.claims["iss"] == "i" and result.subject == (CLAIMS | claims)["sub"]
        assert all(isinstance(scope, str) for scope in result.scopes)
        hash((result.subject, result.scopes))


@given(st.binary(max_size=200), st.binary(max_size=200))
async def test_random_bytes_under_a_good_signature_are_refused(header, payload):
    assert isinstance(await outcome(compact(header, CLAIMS, "ES256", KEY)), TokenRefused)
    assert isinstance(await outcome(compact(HEADER, payload, "ES256", KEY)), TokenRefused)


@given(st.lists(st.dictionaries(st.sampled_from(["kid", "kty", "use", "n", "e", "crv", "x", "y", "alg", "k"]), VALUES)))
def test_of_a_random_key_set_the_usable_keys_are_taken(jwks):
    good = KEY.as_dict(private=False)
    assert set(usable([*jwks, good])) >= {("k", "EC")}


async def test_a_key_set_without_a_usable_key_is_no_key_set():
    empty = TokenVerifier(
        IssuerKeys(Source({"kty": "oct", "k": "eA", "kid": "k"})), issuer="i", audience="a", service="s"
    )
    with pytest.raises(IssuerUnavailable):
        await empty.verify(compact(HEADER, CLAIMS, "ES256", KEY))


@pytest.mark.parametrize("audience", ["", ",", " , "])
def test_no_audience_is_not_every_audience(audience):
    with pytest.raises(ValueError, match="names no audience"):
        TokenVerifier(IssuerKeys(Source()), issuer="i", audience=audience, service="s")


COGNITO = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Ab1Cd2Ef3"
CLIENT = {"iss": COGNITO, "aud": None, "client_id": "c2", "token_use": "access", "scope": "s/read openid"}


async def of_cognito(audience, issuer=COGNITO, /, **changes):
    keys = IssuerKeys(Source(KEY.as_dict(private=False)))
    tokens = TokenVerifier(keys, issuer=issuer, audience=audience, service="s")
    claims = {name: value for name, value in (CLAIMS | CLIENT | changes).items() if value is not None}
    return await tokens.verify(compact(HEADER, claims, "ES256", KEY))


async def test_a_client_stands_for_the_audience_with_cognito():
    assert (await of_cognito("c1,c2")).scopes == {"read", "openid"}
    assert (await of_cognito("c1, c2 ", aud="c1")).subject == CLAIMS["sub"]  # with a resource bound to it, it has one


@pytest.mark.parametrize(
    ("changes", "claim"),
    [
        ({"client_id": "c3"}, "client_id"),
        ({"client_id": None}, "client_id"),
        ({"client_id": {"c1": 1}}, "client_id"),
        ({"client_id": "c1,c2"}, "client_id"),
        ({"aud": "other"}, "aud"),
        ({"aud": ""}, "aud"),
        ({"token_use": None}, "aud"),
    ],
)
async def test_another_client_does_not(changes, claim):
    with pytest.raises(TokenRefused, match=f"the token's claim {claim} "):
        await of_cognito("c1,c2", **changes)


@pytest.mark.parametrize(
    "issuer",
    [
        "https://issuer.example",
        "https://cognito-idp.eu-central-1.amazonaws.com.example/eu-central-1_Ab1",
        "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Ab1/",
        "http://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Ab1",
        "https://x/cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Ab1",
    ],
)
async def test_nor_with_another_issuer(issuer):
    """One that lets its clients write claims of their own could otherwise give tokens for any service."""
    with pytest.raises(TokenRefused, match="the token's claim aud "):
        await of_cognito("c1,c2", issuer, iss=issuer)
