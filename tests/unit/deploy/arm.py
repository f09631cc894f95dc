"""Resource Manager as far as an app's functions go: what it lists is what a host told it at the last sync, not what that has."""

from urllib.parse import parse_qs

from twofold.emulators.server import Answer, FakeServer

GROUP = "/subscriptions/0000abcd-0000-0000-0000-000000000000/resourceGroups/orders-dev"
VERSIONS = {"2024-11-01", "2024-04-01", "2023-12-01"}
"""Stable ones of Microsoft.Web that know Flex Consumption."""


def site(app):
    return f"{GROUP}/providers/Microsoft.Web/sites/{app}"


class Arm(FakeServer):
    """`hosts` has each app's functions as its instances take over, one after another with each sync; the last one stays, and None
    is one that does not run. `known` is what the platform lists. Refuses what ARM refuses: no token or another than `token`, no
    version or another, another method or path.
    """

    PAGE = 2

    def __init__(self, hosts, known=None, forbidden=(), token="t"):
        super().__init__(tls=False)
        self.token = token
        self.hosts, self.known, self.forbidden = dict(hosts), dict(known or {}), set(forbidden)
        self.url = f"http://{self.host}"

    def serve(self, method, path, raw_query, headers, body):
        query = parse_qs(raw_query)
        bearer = headers.get("Authorization", "").removeprefix("Bearer ")
        if not bearer or bearer != (self.token or bearer):
            raise _error(401, "AuthenticationFailed", "The 'Authorization' header is missing.")
        if "api-version" not in query:
            raise _error(400, "MissingApiVersionParameter", "The api-version query parameter is required.")
        if query["api-version"][0] not in VERSIONS:
            raise _error(400, "InvalidResourceType", "The resource type could not be found for this api version.")
        for app in self.hosts:
            operation = path.removeprefix(f"{site(app)}/")
            if operation not in ("host/default/sync", "functions"):
                continue
            wanted = "GET" if operation == "functions" else "POST"
            if method != wanted:
                raise _error(405, "MethodNotAllowed", method)
            action = f"Microsoft.Web/sites/{'functions/read' if wanted == 'GET' else 'host/sync/action'}"
            if action in self.forbidden:
                raise _error(
                    403, "AuthorizationFailed", f"The client does not have authorization to perform '{action}'"
                )
            if wanted == "GET":
                return self._functions(app, query)
            return self._sync(app)
        raise _error(404, "ResourceNotFound", path)

    def _sync(self, app):
        host = self.hosts[app]
        running = host.pop(0) if len(host) > 1 else host[0]
        if running is None:
            message = "Encountered an error (ServiceUnavailable) from host runtime."
            raise Answer(
                400, {"Code": "BadRequest", "Message": message, "Target": None, "Details": [{"Message": message}]}
            )
        self.known[app] = running
        return Answer(204)

    def _functions(self, app, query):
        names = self.known.get(app, ["WarmUp"])
        start = int(query.get("$skiptoken", ["0"])[0])
        page = {
            "value": [
                {
                    "id": f"{site(app)}/functions/{name}", "name": f"{app}/{name}", "type": "Microsoft.Web/sites/functions",
                    "location": "West Europe", "properties": {"name": name, "isDisabled": False, "language": "python"},
                }
                for name in names[start : start + self.PAGE]
            ],
            "nextLink": None,
        }  # fmt: skip
        if start + self.PAGE < len(names):
            version = query["api-version"][0]
            page["nextLink"] = f"{self.url}{site(app)}/functions?api-version={version}&$skiptoken={start + self.PAGE}"
        return Answer(200, page)

    def asked(self, app, operation):
        return [path for _, path in self.requests].count(f"{site(app)}/{operation}")


def _error(status, code, message):
    return Answer(status, {"error": {"code": code, "message": message}})
