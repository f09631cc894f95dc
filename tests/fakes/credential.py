"""Token credentials that need no identity provider."""

import time
from typing import Any

from azure.core.credentials import AccessToken, AccessTokenInfo

TOKEN = "static-access-token"


class StaticCredential:
    """A synchronous credential that always gives `token`, for an hour; `scopes` records what was asked for."""

    def __init__(self, token: str = TOKEN) -> None:
        self.token = token
        self.scopes: list[str] = []

    def get_token(self, *scopes: str, **kwargs: Any) -> AccessToken:
        """See `azure.core.credentials.TokenCredential`."""
        self.scopes.extend(scopes)
        return AccessToken(self.token, int(time.time()) + 3600)

    def get_token_info(self, *scopes: str, options: Any = None) -> AccessTokenInfo:
        """See `azure.core.credentials.SupportsTokenInfo`."""
        self.scopes.extend(scopes)
        return AccessTokenInfo(self.token, int(time.time()) + 3600)

    def close(self) -> None:
        """Nothing to release."""


class AsyncStaticCredential:
    """`StaticCredential` for the asynchronous clients."""

    def __init__(self, token: str = TOKEN) -> None:
        self._sync = StaticCredential(token)
        self.scopes = self._sync.scopes

    async def get_token(self, *scopes: str, **kwargs: Any) -> AccessToken:
        """See `azure.core.credentials_async.AsyncTokenCredential`."""
        return self._sync.get_token(*scopes)

    async def get_token_info(self, *scopes: str, options: Any = None) -> AccessTokenInfo:
        """See `azure.core.credentials_async.AsyncSupportsTokenInfo`."""
        return self._sync.get_token_info(*scopes)

    async def close(self) -> None:
        """Nothing to release."""

    async def __aenter__(self) -> "AsyncStaticCredential":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
