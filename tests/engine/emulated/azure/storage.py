"""Storage accounts, each an Azurite of its own, with their queues and containers."""

import http.client
import ssl
from contextlib import ExitStack
from urllib.parse import parse_qs, unquote

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from tests.engine.emulated.azure.kind import Kind, Thing
from tests.engine.emulated.kind import Gone
from tests.engine.front import forwarded
from twofold.emulators import azurite
from twofold.emulators.server import Answer

VERBS = {"GET": "read", "HEAD": "read", "PUT": "write", "POST": "write", "DELETE": "delete"}


class Storage(Thing):
    """A storage account: an Azurite of its own, which looks at tokens' form; whose they are, and the roles, are looked at here.

    `keyed` are the arguments of an SDK's client with the account's key, by service. Only the emulator's owner comes with it.
    """

    def __init__(self, account, resource_id, inputs):
        super().__init__(account, resource_id, inputs)
        self._shared_keys = inputs.get("allowSharedKeyAccess", True)
        self._running = ExitStack()
        self.azurite = self._running.enter_context(azurite.account(self.name))
        self._context = ssl.create_default_context(cafile=self.azurite.certificate)
        self._hosts = {f"{self.name}.{service}.core.windows.net": service for service in ("queue", "blob")}
        account.front.hosts |= dict.fromkeys(self._hosts, self._serve)
        self._services = [f"{resource_id}/{service}Services/default" for service in self._hosts.values()]
        account.held |= {service: Thing(account, service, {}) for service in self._services}

    def keyed(self, service):
        url = getattr(self.azurite, service)
        key = azurite.KEY | {"account_name": self.name}
        return {"account_url": url, "credential": key, "connection_verify": self.azurite.certificate}

    def properties(self):
        # The front has https alone, and turns away whoever brings nothing.
        own = {"enableHttpsTrafficOnly": True, "allowBlobPublicAccess": False}
        return own | {"allowSharedKeyAccess": self._shared_keys}

    def close(self):
        for host in self._hosts:
            self.account.front.hosts.pop(host, None)
        for service in self._services:
            self.account.held.pop(service, None)
        self._running.close()

    def _serve(self, request):
        service = self._hosts[request.host]
        authorization = request.headers["Authorization"] or ""
        if authorization.startswith("SharedKey "):
            if not self._shared_keys:
                raise refused(403, "KeyBasedAuthenticationNotPermitted")
        elif (principal := self.account.caller(authorization, "https://storage.azure.com")) is None:
            raise refused(401, "NoAuthenticationInformation")
        elif not self.account.allows(principal, *self._asked(service, request)):
            raise refused(403, "AuthorizationPermissionMismatch")
        port = int(getattr(self.azurite, service).split(":")[2].partition("/")[0])
        connection = http.client.HTTPSConnection("127.0.0.1", port, context=self._context)
        return forwarded(connection, request, request.headers.items())

    def _asked(self, service, request):
        """The action and its scope."""
        first, *rest = unquote(request.path).strip("/").split("/")
        scope = f"{self.id}/{service}Services/default/{'queues' if service == 'queue' else 'containers'}/{first}"
        query = parse_qs(request.query, keep_blank_values=True)
        if service == "queue":
            if rest[:1] == ["messages"]:
                if request.method == "POST":
                    return "messages/add", scope
                return "messages/read" if query.get("peekonly") == ["true"] else "messages/process", scope
            return f"queues/{VERBS[request.method]}", scope
        lists = query.get("comp") == ["list"]
        return f"{'blobs' if rest or lists else 'containers'}/{VERBS[request.method]}", scope


def refused(status, code):
    """A refusal in Storage's form."""
    body = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>no</Message></Error>'
    return Answer(status, body.encode(), {"x-ms-error-code": code, "Content-Type": "application/xml"})


class Queue(Thing):
    """A storage queue."""

    def __init__(self, account, resource_id, inputs):
        super().__init__(account, resource_id, inputs)
        storage = account.at(resource_id.partition("/queueServices/")[0])
        self.queue = QueueServiceClient(**storage.keyed("queue")).get_queue_client(self.name)
        self.queue.create_queue()

    def properties(self):
        there(self.queue.get_queue_properties)
        return {}

    def close(self):
        self.queue.close()


class BlobContainer(Thing):
    """A container of blobs."""

    def __init__(self, account, resource_id, inputs):
        super().__init__(account, resource_id, inputs)
        storage = account.at(resource_id.partition("/blobServices/")[0])
        self.container = BlobServiceClient(**storage.keyed("blob")).get_container_client(self.name)
        self.container.create_container()

    def properties(self):
        there(self.container.get_container_properties)
        return {}

    def close(self):
        self.container.close()


def there(read):
    """Raises Gone when it is not."""
    try:
        return read()
    except ResourceNotFoundError:
        raise Gone from None


STORAGE = "Microsoft.Storage/storageAccounts/{accountName}"
KINDS = {
    "azure-native:storage:StorageAccount": Kind(STORAGE, Storage),
    "azure-native:storage:Queue": Kind(f"{STORAGE}/queueServices/default/queues/{{queueName}}", Queue, within=STORAGE),
    "azure-native:storage:BlobContainer": Kind(
        f"{STORAGE}/blobServices/default/containers/{{containerName}}", BlobContainer, within=STORAGE
    ),
}  # fmt: skip
