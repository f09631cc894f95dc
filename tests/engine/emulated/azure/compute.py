"""Function apps: who is let in, how code comes, what runs; and what Resource Manager and the logs say of them."""

import re
import sys
import threading
import zipfile
from email.message import Message
from http import HTTPStatus

from tests.engine.answers import TENANT
from tests.engine.emulated.azure.data import Identity
from tests.engine.emulated.azure.functions import Host, HostFailed
from tests.engine.emulated.azure.kind import Kind, StateAlone, Thing
from tests.engine.front import Request
from twofold.emulators.server import Answer

SUCCEEDED, FAILED, WORKING = 4, 3, 1
PRINCIPAL = "X-MS-CLIENT-PRINCIPAL-ID"


class App(Thing):
    """A function app. It runs from its first deployment on; a change of its settings starts it anew, with the same code."""

    def __init__(self, account, resource_id, inputs):
        super().__init__(account, resource_id, inputs)
        self.auth = None
        self.host, self._failure, self._deployments = None, "there is no code", {}
        self._package, self._lock = None, threading.RLock()
        self._configure(inputs)
        account.front.hosts[f"{self.name}.azurewebsites.net"] = self._serve
        account.front.hosts[f"{self.name}.scm.azurewebsites.net"] = self._deploy

    def _configure(self, inputs):
        self.account.at(inputs["serverFarmId"])
        self._given = inputs
        self.settings = {pair["name"]: pair["value"] for pair in inputs["siteConfig"]["appSettings"]}
        self._identities = [
            self.account.at(resource_id) for resource_id in inputs["identity"]["userAssignedIdentities"]
        ]
        self._storage = inputs["functionAppConfig"]["deployment"]["storage"]
        self._open = inputs["siteConfig"]["ipSecurityRestrictionsDefaultAction"] == "Allow"

    def properties(self):
        return {
            "defaultHostName": f"{self.name}.azurewebsites.net",
            "serverFarmId": self._given["serverFarmId"],
            "httpsOnly": True,  # the front has nothing else
            "identity": {"type": "UserAssigned", "userAssignedIdentities": [one.id for one in self._identities]},
            "functionAppConfig": {
                "deployment": {"storage": self._storage},
                "runtime": {"name": "python", "version": ".".join(map(str, sys.version_info[:2]))},
                "siteUpdateStrategy": {"type": "Recreate"},
            },
            "siteConfig": {
                "appSettings": [{"name": name, "value": value} for name, value in self.settings.items()],
                "ipSecurityRestrictionsDefaultAction": "Allow" if self._open else "Deny",
            },
        }

    def update(self, inputs):
        with self._lock:
            self._configure(inputs)
            if self._package:
                self._start()

    def close(self):
        with self._lock:
            for host in (f"{self.name}.azurewebsites.net", f"{self.name}.scm.azurewebsites.net"):
                self.account.front.hosts.pop(host, None)
            self._stop()

    def running(self):
        """Its host, once a start that is under way has ended. Raises HostFailed."""
        with self._lock:
            if self.host is None:
                raise HostFailed(self._failure)
            return self.host

    def _start(self):
        self._stop()
        try:
            self.host = Host(self.account, self.name, self._package, self.settings, self._identities)
        except Exception as failed:  # whatever it is, the app is not running and says why
            self._failure = f"{type(failed).__name__}: {failed}"

    def _stop(self):
        if self.host:
            self.host.close()
        self.host, self._failure = None, "it was stopped"

    def _serve(self, request):
        if not self._open:
            raise Answer(403, b"Ip Forbidden", {"Content-Type": "text/plain"})
        # Only the platform may say who calls.
        headers = [(name, value) for name, value in request.headers.items() if not name.upper().startswith("X-MS-")]
        if self.auth:
            headers.append((PRINCIPAL, self.auth.admitted(request)))
        try:
            host = self.running()
        except HostFailed:
            raise Answer(503, b"Function host is not running.", {"Content-Type": "text/plain"}) from None
        return host.answer(request, headers)

    def _deploy(self, request):
        """The deployment endpoint: One Deploy puts the zip into the app's container, as the app, and starts it."""
        self.account.require_deployer(request)
        if (request.method, request.path) == ("POST", "/api/publish"):
            if request.headers["Content-Type"] != "application/zip" or "RemoteBuild=false" not in request.query:
                raise Answer(415, {"message": "a zip is posted as application/zip"})
            deployment = f"d-{len(self._deployments) + 1}"
            self._deployments[deployment] = (WORKING, "")
            threading.Thread(target=self._take, args=(deployment, request.body), daemon=True).start()
            return Answer(202, deployment)
        match = re.fullmatch(r"/api/deployments/([\w-]+)", request.path)
        if request.method != "GET" or match is None or match[1] not in self._deployments:
            raise Answer(404)
        status, text = self._deployments[match[1]]
        return Answer(200, {"id": match[1], "status": status, "status_text": text})

    def _take(self, deployment, data):
        if (stored := self._keep(data)).status != 201:
            text = f"Failed to upload because Azure Storage responded with {HTTPStatus(stored.status).phrase}"
            self._deployments[deployment] = (FAILED, text)
            return
        with self._lock:
            try:
                self._package = self.account.unpacked(data)
            except zipfile.BadZipFile as broken:
                self._deployments[deployment] = (FAILED, f"Package deployment failed: {broken}")
                return
            self._deployments[deployment] = (SUCCEEDED, "")
            self._start()

    def _keep(self, data):
        allowed = self._storage["authentication"]
        assert (allowed["type"], self._storage["type"]) == ("UserAssignedIdentity", "blobContainer"), self._storage
        identity = self.account.at(allowed["userAssignedIdentityResourceId"])
        assert isinstance(identity, Identity) and identity in self._identities, allowed
        host, _, path = f"{self._storage['value']}/released-package.zip".removeprefix("https://").partition("/")
        headers = Message()
        token = self.account.token(identity.principal, "https://storage.azure.com")
        for name, value in (
            ("Authorization", f"Bearer {token}"),
            ("x-ms-version", "2021-02-12"),
            ("x-ms-blob-type", "BlockBlob"),
        ):
            headers[name] = value
        return self.account.front.ask(Request(host, "PUT", f"/{path}", "", headers, data))


class Auth(Thing):
    """App Service authentication: whose Entra token is let in."""

    def __init__(self, account, resource_id, inputs):
        super().__init__(account, resource_id, inputs)
        self._app = account.at(resource_id.partition("/config/")[0])
        self.update(inputs)

    def update(self, inputs):
        self._given = inputs
        directory = inputs["identityProviders"]["azureActiveDirectory"]
        validation = directory["validation"]
        enforced = (
            inputs["platform"]["enabled"]
            and directory["enabled"]
            and inputs["globalValidation"]["requireAuthentication"]
        )
        assert inputs["globalValidation"]["unauthenticatedClientAction"] == "Return401"
        assert directory["registration"]["openIdIssuer"] == f"https://sts.windows.net/{TENANT}/", "the tokens' issuer"
        assert directory["registration"]["clientId"] in [one.client for one in self.account.all(Identity)]
        self._audiences = validation["allowedAudiences"]
        self._principals = validation["defaultAuthorizationPolicy"]["allowedPrincipals"]["identities"]
        self._app.auth = self if enforced else None

    def admitted(self, request):
        """The caller's object id; 401 for no token that is for this app, 403 for somebody else's."""
        if (principal := self.account.caller(request.headers["Authorization"], *self._audiences)) is None:
            raise Answer(401, b"", {"WWW-Authenticate": "Bearer"})
        if principal not in self._principals:
            raise Answer(403, b"")
        return principal

    def properties(self):
        kept = ("platform", "globalValidation", "identityProviders")
        return {key: self._given[key] for key in kept} | {"httpSettings": {"requireHttps": True}}

    def close(self):
        self._app.auth = None


def resource_manager(account):
    """What the kit asks Resource Manager for itself: an app's triggers, functions and host."""

    def serve(request):
        account.require_deployer(request)
        app = re.fullmatch(r"(/subscriptions/.+/sites/[^/]+)/(.+)", request.path)
        if app is None or app[1] not in account.held:
            raise Answer(404, {"error": {"code": "ResourceNotFound", "message": request.path}})
        site = account.at(app[1])
        try:
            host, state = site.running(), {"state": "Running"}
        except HostFailed as failed:
            host, state = None, {"state": "Error", "errors": [str(failed)]}
        match request.method, app[2]:
            case "POST", "syncfunctiontriggers" | "host/default/sync":
                return (
                    Answer(204)
                    if host
                    else Answer(400, {"error": {"code": "BadRequest", "message": state["errors"][0]}})
                )
            case "GET", "functions":
                names = host.functions if host else ()
                return Answer(
                    200, {"value": [{"name": f"{site.name}/{name}", "properties": {"name": name}} for name in names]}
                )
            case "GET", "hostruntime/admin/host/status":
                return Answer(200, state)
        raise Answer(404, {"error": {"code": "NotFound", "message": f"{request.method} {app[2]} is not answered here"}})

    return serve


def directory(account):
    """Microsoft Graph, as far as it says whether there is a service principal."""

    def serve(request):
        match = re.fullmatch(r"/v1\.0/servicePrincipals/([^/]+)", request.path)
        if account.caller(request.headers["Authorization"], "https://graph.microsoft.com") is None:
            raise Answer(401, {"error": {"code": "InvalidAuthenticationToken"}})
        if match is None or match[1] not in [one.principal for one in account.all(Identity)]:
            raise Answer(404, {"error": {"code": "Request_ResourceNotFound"}})
        return Answer(200, {"id": match[1]})

    return serve


def logs(account):
    """Log Analytics, of which nothing here writes: every query finds nothing."""

    def serve(request):
        source = re.fullmatch(r"/v1(/.+)/query", request.path)
        principal = account.caller(request.headers["Authorization"], "https://api.loganalytics.io")
        if principal is None or source is None or source[1] not in account.held:
            raise Answer(403, {"error": {"code": "InsufficientAccessError"}})
        return Answer(200, {"tables": [{"name": "PrimaryResult", "columns": [], "rows": []}]})

    return serve


SITE = "Microsoft.Web/sites/{name}"
KINDS = {
    "azure-native:web:AppServicePlan": Kind("Microsoft.Web/serverfarms/{name}", StateAlone),
    "azure-native:web:WebApp": Kind(SITE, App),
    "azure-native:web:WebAppAuthSettingsV2": Kind(f"{SITE}/config/authsettingsV2", Auth, within=SITE),
}
