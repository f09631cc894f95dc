"""Access tokens: a JWT of the one issuer becomes a Principal, or is refused (RFC 7519, 8725, 9068).

What issuers do differently is in `twofold.portable.issuers`.
"""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from twofold.errors import TokenRefused
from twofold.portable import issuers, strict_json
from twofold.portable.issuer_keys import IssuerKeys

if TYPE_CHECKING:
    from joserfc.jws import JWSRegistry

MAX_TOKEN_BYTES = 8192
"""More than the gateways let through beside other headers (API Gateway: 10,240 bytes for all of them)."""
LEEWAY_SECONDS = 60
"""How far the issuer's clock and this one may differ."""
ALGORITHMS: Mapping[str, str] = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), "RSA"),
    **dict.fromkeys(("ES256", "ES384", "ES512"), "EC"),
    **dict.fromkeys(("EdDSA", "Ed25519"), "OKP"),
}
"""What a token may be signed with, and the type of key for it. No shared secrets, and not `none`."""
TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})
END_OF_TIME = 253_402_300_799  # the year 9999
_NOT_ACCESS = ("at_hash", "c_hash", "events")  # of id tokens, logout tokens and security events
_TOKEN = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
_SUBJECT = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,255}")


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls: the token's `sub`, what it may do, and all that the token claims."""

    subject: str
    scopes: frozenset[str]
    claims: Mapping[str, Any] = field(repr=False)


class TokenVerifier:
    """Verifies the tokens of one issuer for one service.

    A token passes when a key that the issuer has now signed it with an algorithm of `ALGORITHMS`; `iss` is the given one and
    `aud` one of `audience` (by commas), exactly; it is an access token by its `typ`, not an id, refresh or logout token; `exp` is
    to come, `nbf` and `iat` are not, give or take 60 seconds; `sub` is 1 to 255 characters. Anything else raises `TokenRefused`,
    and nothing but that, except `IssuerUnavailable`. Keys that a token brings along or points to (jwk, jku, x5c, x5u) are not
    looked at. An `audience` that names none is a ValueError.
    """

    def __init__(
        self, keys: IssuerKeys, *, issuer: str, audience: str, service: str, clock: Callable[[], float] = time.time
    ) -> None:
        self.service, self.issuer = service, issuer
        self._keys = keys
        self._audiences = list(issuers.audiences(audience))
        if not self._audiences:  # to the library an empty list is any audience
            raise ValueError(f"{audience!r} names no audience")
        self._clock = clock

    async def verify(self, token: str) -> Principal:
        """Whose token it is and what it allows. Raises `TokenRefused`, `IssuerUnavailable`."""
        from joserfc import jws  # `cryptography` comes with it: only who verifies tokens loads it
        from joserfc.errors import JoseError
        from joserfc.util import urlsafe_b64decode

        if len(token) > MAX_TOKEN_BYTES:
            raise TokenRefused(f"the token is longer than {MAX_TOKEN_BYTES} bytes")
        if not _TOKEN.fullmatch(token):
            raise TokenRefused("the token is no signed JWT")
        try:
            signed = jws.extract_compact(token.encode(), registry=_registry())
            header = _json_object(urlsafe_b64decode(signed.segments["header"]))
        except (JoseError, ValueError, TypeError, RecursionError) as exc:
            raise TokenRefused("the token can't be read") from exc
        kid, kty = _check_header(header)
        key = await self._keys.find(kid, kty)
        if key is None or key.get("alg") not in (None, header["alg"]):
            raise TokenRefused("the token is signed with a key that the issuer does not have")
        try:
            genuine = jws.validate_compact(signed, key, registry=_registry())
            claims = _json_object(signed.payload) if genuine else {}
        except (JoseError, ValueError, TypeError, RecursionError) as exc:
            raise TokenRefused("the token's signature or content is not valid") from exc
        if not genuine:
            raise TokenRefused("the token's signature is not valid")
        self._check(claims)
        return Principal(claims["sub"], self._scopes(claims), claims)

    def _check(self, claims: Mapping[str, Any]) -> None:
        from joserfc.errors import ClaimError, ExpiredTokenError
        from joserfc.jwt import ClaimsOption, JWTClaimsRegistry

        if claims.get("token_use", "access") != "access" or str(claims.get("typ", "Bearer")).lower() != "bearer":
            raise TokenRefused("the token is no access token")
        if any(name in claims for name in _NOT_ACCESS):
            raise TokenRefused("the token is no access token")
        by_client = issuers.is_cognito(self.issuer) and "aud" not in claims and claims.get("token_use") == "access"
        options: dict[str, ClaimsOption] = {
            "iss": {"essential": True, "value": self.issuer},
            "client_id" if by_client else "aud": {"essential": True, "values": self._audiences},
            "exp": {"essential": True},
            "sub": {"essential": True},
        }
        try:
            JWTClaimsRegistry(int(self._clock()), LEEWAY_SECONDS, **options).validate(dict(claims))
        except ExpiredTokenError:
            raise TokenRefused("the token has expired") from None
        except ClaimError as exc:
            raise TokenRefused(f"the token's claim {exc.claim} is not valid here") from exc
        if claims["exp"] > END_OF_TIME:
            raise TokenRefused("the token's claim exp is not valid here")
        if not _SUBJECT.fullmatch(claims["sub"]):
            raise TokenRefused("the token's claim sub is not valid here")

    def _scopes(self, claims: Mapping[str, Any]) -> frozenset[str]:
        granted: set[str] = set()
        for name in ("scope", "scp", "roles"):
            value = claims.get(name, ())
            values = value.split() if isinstance(value, str) else value if isinstance(value, list) else ()
            granted |= {one.removeprefix(f"{self.service}/") for one in values if isinstance(one, str)}
        return frozenset(granted)


def _check_header(header: Mapping[str, Any]) -> tuple[str, str]:
    kid, algorithm, typ = header.get("kid"), header.get("alg"), header.get("typ", "JWT")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise TokenRefused("the token is signed with an algorithm that is not allowed")
    if not isinstance(typ, str) or typ.lower() not in TYPES:
        raise TokenRefused("the token is no access token")
    if "crit" in header:
        raise TokenRefused("the token's header demands an extension that is not known here")
    if not isinstance(kid, str):
        raise TokenRefused("the token names no key")
    return kid, ALGORITHMS[algorithm]


def _json_object(text: bytes) -> dict[str, Any]:
    """A JSON object (RFC 7519, section 4); ValueError for anything else."""
    value = strict_json.loads(text.decode("utf-8"))
    if not isinstance(value, dict):
        raise ValueError("it is no object")
    return value


@cache
def _registry() -> "JWSRegistry":
    from joserfc.jws import JWSRegistry

    class Registry(JWSRegistry):
        max_header_length = max_payload_length = max_signature_length = MAX_TOKEN_BYTES

        def get_alg(self, name: str) -> Any:
            # The library's own warns of EdDSA at each token, since RFC 9864 gave it the name Ed25519.
            return self.algorithms[name]

    # Unknown header parameters are ignored, as RFC 7515 says.
    return Registry(algorithms=list(ALGORITHMS), strict_check_header=False)
