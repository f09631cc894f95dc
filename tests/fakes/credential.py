"""Token credentials that need no identity provider."""

import base64
import json
import time

from azure.core.credentials import AccessToken, AccessTokenInfo

TOKEN = "static-access-token"


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


def storage_token():
    """A token as Entra makes them for Storage, its signature apart: what Azurite looks at."""
    now = int(time.time())
    claims = {"aud": "https://storage.azure.com", "iss": "https://sts.windows.net/tenant/"}
    claims |= {"iat": now, "nbf": now - 60, "exp": now + 3600}
    parts = ({"alg": "RS256", "typ": "JWT"}, claims, {})
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
