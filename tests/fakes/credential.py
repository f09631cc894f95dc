"""Token credentials that need no identity provider."""

import time

from azure.core.credentials import AccessToken, AccessTokenInfo

from twofold.emulators.managed_identity import TOKEN


class StaticCredential:
    """An async credential that always gives `token`, for an hour."""

    def __init__(self, token=TOKEN):
        self.token = token

    async def get_token(self, *scopes, **kwargs):
        return AccessToken(self.token, int(time.time()) + 3600)

    async def get_token_info(self, *scopes, options=None):
        return AccessTokenInfo(self.token, int(time.time()) + 3600)

    async def close(self):
        pass

    async def __aenter__(self):
        return self

    async def __aexit__(self, *exc):
        pass


class SyncCredential:
    """The same without async, for SDKs that deploy."""

    def __init__(self, token=TOKEN):
        self.token = token

    def get_token(self, *scopes, **kwargs):
        return AccessToken(self.token, int(time.time()) + 3600)

    def close(self):
        pass
