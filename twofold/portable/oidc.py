"""An OpenID Connect issuer on the network: its keys, by discovery (OpenID Connect Discovery 1.0, RFC 8414)."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from twofold.errors import IssuerUnavailable

if TYPE_CHECKING:
    import httpx

DEADLINE_SECONDS = 3.0


class OidcIssuer:
    """A `KeySource`: what `<issuer>/.well-known/openid-configuration` names as `jwks_uri`, within three seconds in all.

    The document must name the very issuer that was asked for, character by character, a slash at the end included: else its
    keys are not taken. Redirects are not followed. An issuer on https has its keys on https.
    """

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer

    async def fetch(self) -> Iterable[Mapping[str, Any]]:
        """See `KeySource`."""
        import httpx  # only a process that verifies an issuer's tokens needs it

        try:
            async with asyncio.timeout(DEADLINE_SECONDS), httpx.AsyncClient() as client:
                configuration = await _get(client, discovery_url(self._issuer))
                if configuration.get("issuer") != self._issuer:
                    raise ValueError(f"it calls itself {configuration.get('issuer')!r}; oidc_issuer must be the same")
                uri = configuration.get("jwks_uri")
                if not isinstance(uri, str) or (self._issuer.startswith("https:") and not uri.startswith("https:")):
                    raise ValueError(f"its jwks_uri is {uri!r}")
                keys = (await _get(client, uri)).get("keys")
                if not isinstance(keys, list):
                    raise ValueError("its key set has no keys")
                return [key for key in keys if isinstance(key, dict)]
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, RecursionError) as exc:
            raise IssuerUnavailable(f"the issuer {self._issuer} can't be used: {exc or type(exc).__name__}") from exc


def discovery_url(issuer: str) -> str:
    """Where an issuer describes itself."""
    return issuer.rstrip("/") + "/.well-known/openid-configuration"


async def _get(client: "httpx.AsyncClient", url: str) -> dict[str, Any]:
    answer = await client.get(url, headers={"accept": "application/json"})
    if answer.status_code != 200:
        raise ValueError(f"{url} answered {answer.status_code}")
    document = answer.json()
    if not isinstance(document, dict):
        raise ValueError(f"{url} is no JSON object")
    return document
