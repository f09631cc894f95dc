"""IssuerKeys: an issuer's public keys, cached, fetched again when one is unknown, kept while the issuer is down."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from twofold.errors import IssuerUnavailable

if TYPE_CHECKING:
    from joserfc.jwk import Key

MAX_AGE_SECONDS = 600.0
"""How long a key that the issuer withdrew may live on while the issuer answers."""
MIN_INTERVAL_SECONDS = 30.0
"""At most one fetch in this time, however many unknown keys are asked for."""
RETRY_SECONDS = 2.0
"""The same for an issuer of which no key is known yet."""
MIN_RSA_BITS = 2048
CURVES = frozenset({"P-256", "P-384", "P-521", "Ed25519"})

log = logging.getLogger("twofold.access")


class KeySource(Protocol):
    """Where an issuer's keys come from."""

    async def fetch(self) -> Iterable[Mapping[str, Any]]:
        """The public keys as JWKs (RFC 7517), as they are now. Raises `IssuerUnavailable`."""
        ...


class IssuerKeys:
    """The keys of one issuer, by `kid`.

    - Concurrent calls cost one fetch; nobody whose key is known waits for a fetch that another call began.
    - An unknown `kid` fetches again, at most every 30 seconds: made-up ones are no way to make the issuer work.
    - While the issuer is down the last good keys go on being used, without limit.
    - A key that can't be used to verify (symmetric, for encryption, RSA under 2048 bits, another curve) is not there.
    """

    def __init__(self, source: KeySource, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._source = source
        self._clock = clock
        self._keys: dict[tuple[str, str], Key] = {}
        self._fresh_until = self._ask_again_at = clock()
        self._lock = asyncio.Lock()

    async def find(self, kid: str, kty: str) -> "Key | None":
        """The key with this id and type, None when the issuer has none such. Raises `IssuerUnavailable`."""
        key = self._keys.get((kid, kty))
        if key is not None and (self._clock() < self._fresh_until or self._lock.locked()):
            return key
        await self._refresh()
        return self._keys.get((kid, kty))

    async def _refresh(self) -> None:
        async with self._lock:
            if self._clock() >= self._ask_again_at:
                try:
                    self._keys = usable(await self._source.fetch())
                    if not self._keys:
                        raise IssuerUnavailable("the issuer has no key that could verify an access token")
                    self._fresh_until = self._clock() + MAX_AGE_SECONDS
                    self._ask_again_at = self._clock() + MIN_INTERVAL_SECONDS
                except IssuerUnavailable as exc:
                    self._ask_again_at = self._clock() + (MIN_INTERVAL_SECONDS if self._keys else RETRY_SECONDS)
                    log.warning("%s; %s", exc, "the last known keys stay in use" if self._keys else "no key is known")
            if not self._keys:
                raise IssuerUnavailable("the issuer of access tokens does not answer, and no key of it is known yet")


def usable(jwks: Iterable[Mapping[str, Any]]) -> "dict[tuple[str, str], Key]":
    """Those of an issuer's keys that can verify a signature, by id and type; what can't be read is left out."""
    from joserfc.jwk import JWKRegistry  # `cryptography` comes with it: only who verifies tokens loads it

    keys: dict[tuple[str, str], Key] = {}
    for jwk in jwks:
        try:
            kid, kty = jwk["kid"], jwk["kty"]
            if not isinstance(kid, str) or jwk.get("use", "sig") != "sig" or not _strong(jwk):
                continue
            keys[kid, kty] = JWKRegistry.import_key(dict(jwk))
        except Exception as exc:  # whatever is wrong with one key must not cost the others
            log.warning("a key of the issuer is left out: %s", type(exc).__name__)
    return keys


def _strong(jwk: Mapping[str, Any]) -> bool:
    if jwk["kty"] == "RSA":
        return len(jwk["n"]) * 6 >= MIN_RSA_BITS
    return jwk["kty"] in ("EC", "OKP") and jwk["crv"] in CURVES
