"""The database, the vault and the topic, which are fakes; and identities, with what they may."""

import copy
import uuid
from urllib.parse import unquote

from tests.engine.answers import TENANT
from tests.engine.emulated.azure.kind import Attached, Kind, Thing
from tests.engine.emulated.kind import Gone
from twofold.emulators.cosmos import CosmosFake
from twofold.emulators.event_grid import EventGridFake
from twofold.emulators.key_vault import KeyVaultFake
from twofold.emulators.managed_identity import TOKEN
from twofold.emulators.server import Answer


class Identity(Thing):
    """A user-assigned identity: `principal` is its object id, `client` its client id."""

    def __init__(self, account, resource_id, inputs):
        super().__init__(account, resource_id, inputs)
        self.principal, self.client = (
            str(uuid.uuid5(uuid.NAMESPACE_URL, f"{kind} {resource_id}")) for kind in ("object", "client")
        )

    def properties(self):
        return {"principalId": self.principal, "clientId": self.client, "tenantId": TENANT}


class RoleAssignment(Thing):
    """A role that somebody has on a scope: of a subscription, or of a database's data."""

    def __init__(self, account, resource_id, inputs):
        super().__init__(account, resource_id, inputs)
        account.assign(
            resource_id, inputs["principalId"], inputs["roleDefinitionId"].rpartition("/")[2], inputs["scope"]
        )
        self._definition = inputs["roleDefinitionId"].rpartition("/")[0]

    def properties(self):
        principal, role, scope = self.account.assignments[self.id]
        return {
            "principalId": principal, "roleDefinitionId": f"{self._definition}/{role}", "scope": scope,
            # Of service principals alone: nobody else is there.
            "principalType": "ServicePrincipal",
        }  # fmt: skip

    def close(self):
        self.account.assignments.pop(self.id, None)


class Assigned(Attached):
    """A role's assignment, under a name that is the provider's to make."""

    def __init__(self):
        super().__init__("scope", "Microsoft.Authorization/roleAssignments/{roleAssignmentName}", RoleAssignment)

    def create(self, account, inputs, tags):
        name = str(
            uuid.uuid5(uuid.NAMESPACE_URL, f"{inputs['principalId']} {inputs['roleDefinitionId']} {inputs['scope']}")
        )
        return super().create(account, {"roleAssignmentName": name} | inputs, tags)


class Faked(Thing):
    """A service that is a fake, at a host of its own. It takes the fakes' one token: whose it is, and what that one may, is
    looked at before. `calls` has (principal, action) of each request that was let in."""

    def __init__(self, account, resource_id, fake, host, *audiences):
        self.account, self.id, self.name = account, resource_id, resource_id.rpartition("/")[2]
        self.fake, self.host, self.calls = fake, host, []
        self._audiences = audiences
        fake.host = host  # which it tells of itself
        account.front.hosts[host] = self._serve

    def close(self):
        self.fake.close()
        self.account.front.hosts.pop(self.host, None)

    def authorization(self, request):
        """The request's token, and the same in the fakes' form."""
        return request.headers["Authorization"], f"Bearer {TOKEN}"

    def action(self, request):
        """What the request does, as roles have it."""
        raise NotImplementedError

    def forbidden(self):
        """The service's answer to whom no role lets do it."""
        return Answer(403, {"error": {"code": "Forbidden", "message": "the caller has no role for this"}})

    def _serve(self, request):
        authorization, taken = self.authorization(request)
        headers, action = request.headers, self.action(request)
        if (principal := self.account.caller(authorization, *self._audiences)) is not None:
            if not self.account.allows(principal, action, self.id):
                raise self.forbidden()
            self.calls.append((principal, action))
            headers = copy.deepcopy(headers)
            headers.replace_header("Authorization", taken)
        return self.fake.answer(request.method, request.path, request.query, headers, request.body)


class Database(Faked):
    """A Cosmos DB account, as its fake."""

    def __init__(self, account, resource_id, inputs):
        name = inputs["accountName"]
        host = f"{name}.documents.azure.com"
        super().__init__(account, resource_id, CosmosFake(), host, f"https://{host}", "https://cosmos.azure.com")
        self.databases = set()

    def authorization(self, request):
        kind, _, token = unquote(request.headers["Authorization"] or "").partition("&ver=1.0&sig=")
        return f"Bearer {token}" if kind == "type=aad" else None, f"type=aad&ver=1.0&sig={TOKEN}"

    def action(self, request):
        reads = request.method == "GET" or (request.headers["x-ms-documentdb-isquery"] or "").lower() == "true"
        return "items/read" if reads else "items/write"

    def forbidden(self):
        message = "Request blocked by Auth: the principal does not have required RBAC permissions"
        return Answer(403, {"code": "Forbidden", "message": message}, {"x-ms-substatus": 5300})

    def description(self, path):
        """What the fake says of itself."""
        own = {"x-ms-version": "1", "x-ms-date": "now", "Authorization": f"type=aad&ver=1.0&sig={TOKEN}"}
        answer = self.fake.answer("GET", path, "", own, b"")
        if answer.status == 404:
            raise Gone(path)
        return answer.body

    def keys_work(self):
        """Whether it takes an account key."""
        own = {"x-ms-version": "1", "x-ms-date": "now", "Authorization": "type=master&ver=1.0&sig=any"}
        return self.fake.answer("GET", "/", "", own, b"").status == 200

    def properties(self):
        level = self.description("/")["userConsistencyPolicy"]["defaultConsistencyLevel"]
        return {
            "documentEndpoint": f"https://{self.host}:443/",
            "consistencyPolicy": {"defaultConsistencyLevel": level}, "disableLocalAuth": not self.keys_work(),
        }  # fmt: skip


class SqlDatabase(Thing):
    """A database: a name before its containers."""

    def __init__(self, account, resource_id, inputs):
        super().__init__(account, resource_id, inputs)
        if inputs["resource"]["id"] != self.name:
            raise ValueError(f"the database {self.name} is to be {inputs['resource']['id']}")

    def properties(self):
        return {"resource": {"id": self.name}}


class Container(Thing):
    """A database's container."""

    def __init__(self, account, resource_id, inputs):
        super().__init__(account, resource_id, inputs)
        resource = inputs["resource"]
        [path] = resource["partitionKey"]["paths"]
        self._database, self._in = account.at(resource_id.partition("/sqlDatabases/")[0]), inputs["databaseName"]
        self._database.fake.create(
            self._in, resource["id"], default_ttl=resource.get("defaultTtl"), key=path.removeprefix("/")
        )

    def properties(self):
        resource = self._database.description(f"/dbs/{self._in}/colls/{self.name}")
        return {"resource": {name: resource[name] for name in ("id", "defaultTtl", "partitionKey")}}

    def update(self, inputs):
        self._database.fake.containers[self._in, self.name].default_ttl = inputs["resource"].get("defaultTtl")

    def close(self):
        self._database.fake.containers.pop((self._in, self.name), None)


class Vault(Faked):
    """A Key Vault, as its fake."""

    def __init__(self, account, resource_id, inputs):
        super().__init__(
            account, resource_id, KeyVaultFake(), f"{inputs['vaultName']}.vault.azure.net", "https://vault.azure.net"
        )

    def action(self, request):
        return "secrets/read" if request.method == "GET" else "secrets/write"

    def properties(self):
        # Roles alone let in; a secret that was deleted keeps its name.
        return {"properties": {"tenantId": TENANT, "enableRbacAuthorization": True, "enableSoftDelete": True}}


class Topic(Faked):
    """An Event Grid topic, as its fake."""

    def __init__(self, account, resource_id, inputs):
        host = f"{inputs['topicName']}.{inputs['location']}-1.eventgrid.azure.net"
        super().__init__(account, resource_id, EventGridFake(), host, "https://eventgrid.azure.net")

    def action(self, request):
        return "events/send"

    def properties(self):
        own = {"inputSchema": "CloudEventSchemaV1_0", "disableLocalAuth": True}
        return own | {"endpoint": f"https://{self.host}/api/events"}


DATABASE = "Microsoft.DocumentDB/databaseAccounts/{accountName}"
KINDS = {
    "azure-native:resources:ResourceGroup": Kind("", Thing),
    "azure-native:managedidentity:UserAssignedIdentity": Kind(
        "Microsoft.ManagedIdentity/userAssignedIdentities/{resourceName}", Identity
    ),
    "azure-native:authorization:RoleAssignment": Assigned(),
    "azure-native:cosmosdb:DatabaseAccount": Kind(DATABASE, Database),
    "azure-native:cosmosdb:SqlResourceSqlDatabase": Kind(
        f"{DATABASE}/sqlDatabases/{{databaseName}}", SqlDatabase, within=DATABASE
    ),
    "azure-native:cosmosdb:SqlResourceSqlContainer": Kind(
        f"{DATABASE}/sqlDatabases/{{databaseName}}/containers/{{containerName}}", Container,
        within=f"{DATABASE}/sqlDatabases/{{databaseName}}",
    ),
    "azure-native:cosmosdb:SqlResourceSqlRoleAssignment": Kind(
        f"{DATABASE}/sqlRoleAssignments/{{roleAssignmentId}}", RoleAssignment, within=DATABASE
    ),
    "azure-native:keyvault:Vault": Kind("Microsoft.KeyVault/vaults/{vaultName}", Vault),
    "azure-native:eventgrid:Topic": Kind("Microsoft.EventGrid/topics/{topicName}", Topic),
}  # fmt: skip
