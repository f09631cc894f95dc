"""App Service's managed identity endpoint (api-version 2019-08-01): a token for who knows the header's secret."""

import time
from urllib.parse import parse_qs

from tests.fakes.credential import TOKEN, storage_token
from tests.fakes.server import Answer, FakeServer


class ManagedIdentityFake(FakeServer):
    """`environ` is what the platform gives an app with a user-assigned identity."""

    def __init__(self):
        super().__init__(tls=False)
        self.environ = {
            "IDENTITY_ENDPOINT": f"http://{self.host}/msi/token",
            "IDENTITY_HEADER": "header-secret",
            "AZURE_CLIENT_ID": "client-1",
        }

    def serve(self, method, path, raw_query, headers, body):
        query = {name: values[0] for name, values in parse_qs(raw_query).items()}
        if headers.get("X-IDENTITY-HEADER") != "header-secret":
            raise Answer(401, {"statusCode": 401, "message": "X-IDENTITY-HEADER is wrong"})
        if (method, path, query.get("api-version")) != ("GET", "/msi/token", "2019-08-01") or not query.get("resource"):
            raise Answer(400, {"statusCode": 400, "message": "resource and api-version are required"})
        if query.get("client_id") != "client-1":
            raise Answer(400, {"statusCode": 400, "message": "no managed identity with this client id"})
        value = storage_token() if query["resource"] == "https://storage.azure.com" else TOKEN
        token = {"access_token": value, "expires_on": str(int(time.time()) + 3600), "token_type": "Bearer"}
        return Answer(200, token | {"resource": query["resource"], "client_id": "client-1"})
