"""Cache on Azure Managed Redis, over TLS, entered with the unit's identity: its object id and an Entra ID token."""

import base64
import json
from typing import Any

from twofold.azure.credential import default_credential
from twofold.errors import CacheUnavailable
from twofold.redis import Login, Logins, RedisDriver, location

SCOPE = "https://redis.azure.com/.default"
PORT = 10000


def from_url(url: str, credential: Any = None) -> RedisDriver:
    """The driver of `azureredis://<host>[:<port>]`; connects, and asks for a login, at the first use."""
    host, port, _ = location(url, "azureredis://<host>[:<port>]")
    entra = EntraLogin(credential)
    return AzureRedisDriver(host, port or PORT, logins=Logins(entra.renew), entra=entra)


class EntraLogin:
    """Tokens of the process's credential; the user is the token's own `oid`, so that nothing else must be configured."""

    def __init__(self, credential: Any = None) -> None:
        self._credential = credential

    async def renew(self) -> Login:
        """A login by a token."""
        from azure.core.exceptions import AzureError

        self._credential = self._credential or default_credential()
        try:
            token = await self._credential.get_token(SCOPE)
        except AzureError as exc:
            raise CacheUnavailable(f"no token for Redis: {type(exc).__name__}") from exc
        return Login(_object_id(token.token), token.token, token.expires_on)

    async def close(self) -> None:
        """Releases the credential's connections."""
        if hasattr(self._credential, "close"):
            await self._credential.close()


class AzureRedisDriver(RedisDriver):
    """A RedisDriver that closes its credential as well."""

    def __init__(self, host: str, port: int, *, logins: Logins, entra: EntraLogin) -> None:
        super().__init__(host, port, logins=logins)
        self._entra = entra

    async def close(self) -> None:
        """See `CacheDriver`."""
        await super().close()
        await self._entra.close()


def _object_id(token: str) -> str:
    """The token's subject. Nothing is verified here: that is for the server, whose answer a forged one would not survive."""
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return str(claims["oid"])
