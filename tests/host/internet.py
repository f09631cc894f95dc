"""The Internet as an update meets it: a proxy, as companies have one, and behind it what the kit itself speaks to.

That is the logins, Azure's deployment endpoints, Resource Manager, Storage and the gateway's health, and AWS' Lambda: what the
dynamic resources of a stack call, whose process the engine starts. It answers as a cloud where all is well. What else is asked
for, such as a package index, is let through.
"""

import base64
import fnmatch
import json
import os
import re
import select
import socket
import time
from urllib.parse import parse_qs, unquote

import certifi

from api.manifest import SERVICE
from tests.engine.answers import TENANT
from tests.engine.front import Front
from twofold.deploy.azure.compute import functions
from twofold.emulators.server import Answer

HOSTS = (
    "login.microsoftonline.com",
    "graph.microsoft.com",
    "management.azure.com",
    "*.scm.azurewebsites.net",
    "*.azure-api.net",
    "*.azurewebsites.net",
    "*.blob.core.windows.net",
    "*.eu-central-1.amazonaws.com",
)
DEPLOYER = {
    "AZURE_TENANT_ID": TENANT,
    "AZURE_CLIENT_ID": "deployer",
    "AZURE_CLIENT_SECRET": "only-for-tests",
    "AWS_ACCESS_KEY_ID": "AKIATESTTESTTESTTEST",
    "AWS_SECRET_ACCESS_KEY": "only-for-tests",
}
"""Both clouds' logins, as a pipeline has them in its environment."""


class Internet(Front):
    """`environ` leads a process through it. `requests` has each request so far, as (method, host, path)."""

    def __init__(self):
        super().__init__(os.environ.get("SSL_CERT_FILE") or certifi.where(), domains=HOSTS)
        self.environ |= DEPLOYER | {"AWS_CA_BUNDLE": self.trusted}
        self.requests, self._blobs = [], {}

    def ask(self, request):
        self.requests.append((request.method, request.host, request.path))
        query = {key: values[0] for key, values in parse_qs(request.query, keep_blank_values=True).items()}
        return self.answer(request.host, request.method, unquote(request.path), query, request.body)

    def _tunnel(self, handler):
        host, _, port = handler.path.partition(":")
        if any(fnmatch.fnmatch(host, known) for known in HOSTS):
            return super()._tunnel(handler)
        return _let_through(handler, host, int(port))

    def answer(self, host, method, path, query, body):
        """What a host says; 404 of one that is not here."""
        name, _, domain = host.partition(".")
        match domain:
            case "microsoftonline.com":
                return _login(path)
            case "scm.azurewebsites.net":
                return _deployment(method, path)
            case "microsoft.com" if path.startswith("/v1.0/servicePrincipals/"):
                return Answer(200, {"id": path.rpartition("/")[2]})
            case "azure.com":
                return _resource_manager(path)
            case "blob.core.windows.net":
                return self._blob(f"{name}{path}", method, query, body)
            case "azure-api.net":
                return Answer(200, {"status": "ready"})
            case "eu-central-1.amazonaws.com" if name == "lambda":
                return _lambda(method, path)
        return Answer(404, {"error": f"{host} is not served"})

    def _blob(self, name, method, query, body):
        if method == "PUT":
            self._blobs[name] = body
            return Answer(201, b"", {"ETag": '"1"', "Last-Modified": "Sat, 28 Nov 2026 12:00:00 GMT"})
        if method == "GET" and query.get("comp") == "list":
            about = "<Last-Modified>Sat, 28 Nov 2026 12:00:00 GMT</Last-Modified><Etag>1</Etag><BlobType>BlockBlob</BlobType>"
            names = [path.removeprefix(f"{name}/") for path in self._blobs if path.startswith(name)]
            blobs = "".join(f"<Blob><Name>{one}</Name><Properties>{about}</Properties></Blob>" for one in names)
            text = f'<?xml version="1.0"?><EnumerationResults><Blobs>{blobs}</Blobs><NextMarker /></EnumerationResults>'
            return Answer(200, text.encode(), {"Content-Type": "application/xml"})
        return Answer(202 if self._blobs.pop(name, None) is not None else 404, b"")


def _let_through(handler, host, port):
    handler.close_connection = True
    with socket.create_connection((host, port)) as beyond:
        handler.send_response(200)
        handler.end_headers()
        ends = {handler.connection: beyond, beyond: handler.connection}
        while True:
            for end in select.select(ends, [], [])[0]:
                if not (data := end.recv(65536)):
                    return
                ends[end].sendall(data)


def _login(path):
    base = f"https://login.microsoftonline.com/{TENANT}"
    if path.endswith("/token"):
        claims = base64.urlsafe_b64encode(
            json.dumps({"oid": "o", "appid": "deployer", "idtyp": "app"}).encode()
        ).decode()
        token = f"e30.{claims.rstrip('=')}.signed"
        return Answer(200, {"token_type": "Bearer", "expires_in": 3600, "access_token": token})
    if path.endswith("/discovery/instance"):
        aliases = {"preferred_network": "login.microsoftonline.com", "aliases": ["login.microsoftonline.com"]}
        metadata = [aliases | {"preferred_cache": "login.microsoftonline.com"}]
        return Answer(
            200, {"tenant_discovery_endpoint": f"{base}/v2.0/.well-known/openid-configuration", "metadata": metadata}
        )
    endpoints = {
        name: f"{base}/oauth2/v2.0/{path}"
        for name, path in (("authorization_endpoint", "authorize"), ("token_endpoint", "token"))
    }
    return Answer(200, {"issuer": f"{base}/v2.0", **endpoints})


def _deployment(method, path):
    if (method, path) == ("POST", "/api/publish"):
        return Answer(202, "deployment-1")
    if path == "/api/deployments/deployment-1":
        return Answer(200, {"id": "deployment-1", "status": 4})
    return Answer(404, {})


def _resource_manager(path):
    app, _, what = path.removeprefix("/azure-native:web:WebApp/").partition("/")
    if what == "host/default/sync":
        return Answer(204, b"")
    if what == "functions":
        [unit] = [unit for unit in SERVICE.units if app.endswith(f"-{unit.role}")]
        return Answer(200, {"value": [{"name": f"{app}/{name}"} for name in functions(SERVICE, unit)]})
    return Answer(404, {"error": {"code": "NotFound", "message": f"{path} is not served"}})


def _lambda(method, path):
    name = re.fullmatch(r"/2015-03-31/functions/([^/]+)(/[a-z]+)?", path)
    match (method, name and name[2]):
        case ("GET", "/configuration"):
            return Answer(200, {"State": "Active", "LastUpdateStatus": "Successful"})
        case ("POST", "/invocations"):
            return Answer(200, {"status": "ready", "statusCode": 200}, {"x-amzn-RequestId": str(time.time_ns())})
        case ("GET", "/aliases"):
            return Answer(200, {"Aliases": []})
        case ("GET", "/versions"):
            return Answer(200, {"Versions": []})
        case ("DELETE", None):
            return Answer(204, b"")
    return Answer(404, {"Message": f"{method} {path} is not served"})
