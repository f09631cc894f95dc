"""App Service's managed identity endpoint (api-version 2019-08-01): a token for who knows the header's secret."""

import base64
import json
import time
from collections.abc import Callable
from urllib.parse import parse_qs

from twofold.emulators.server import Answer, FakeServer, Headers

TOKEN = "static-access-token"
"""What the fakes take, which compare and don't verify."""


def issued(client_id: str, resource: str) -> str | None:
    """The token of the one identity that there is, for a resource."""
    if client_id != "client-1":
        return None
    return storage_token() if resource == "https://storage.azure.com" else TOKEN


class ManagedIdentityFake(FakeServer):
    """`environ` is what the platform gives an app with a user-assigned identity.

    `issue(client id, resource)` makes the tokens; None says that the app has no such identity.
    """

    def __init__(self, issue: Callable[[str, str], str | None] = issued) -> None:
        super().__init__(tls=False)
        self._issue = issue
        self.environ = {
            "IDENTITY_ENDPOINT": f"http://{self.host}/msi/token",
            "IDENTITY_HEADER": "header-secret",
            "AZURE_CLIENT_ID": "client-1",
        }

    def serve(self, method: str, path: str, raw_query: str, headers: Headers, body: bytes) -> Answer:
        query = {name: values[0] for name, values in parse_qs(raw_query).items()}
        if headers.get("X-IDENTITY-HEADER") != "header-secret":
            raise Answer(401, {"statusCode": 401, "message": "X-IDENTITY-HEADER is wrong"})
        if (method, path, query.get("api-version")) != ("GET", "/msi/token", "2019-08-01") or not query.get("resource"):
            raise Answer(400, {"statusCode": 400, "message": "resource and api-version are required"})
        client = query.get("client_id", "")
        if (value := self._issue(client, query["resource"])) is None:
            raise Answer(400, {"statusCode": 400, "message": "no managed identity with this client id"})
        token = {"access_token": value, "expires_on": str(int(time.time()) + 3600), "token_type": "Bearer"}
        return Answer(200, token | {"resource": query["resource"], "client_id": client})


def storage_token(audience: str = "https://storage.azure.com", tenant: str = "tenant", **more: str) -> str:
    """An hour's token as Entra makes them, by default for Storage, its signature apart: what Azurite looks at."""
    now = int(time.time())
    claims: dict[str, str | int] = {"aud": audience, "iss": f"https://sts.windows.net/{tenant}/"}
    claims |= {"iat": now, "nbf": now - 60, "exp": now + 3600, **more}
    parts: tuple[object, ...] = ({"alg": "RS256", "typ": "JWT"}, claims, {})
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
