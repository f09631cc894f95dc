"""A service on this machine as on Azure: fakes of Cosmos DB, Key Vault, Event Grid and the managed identity, Azurite's queues,
and its functions under the library of Azure's own worker.

Known divergences, beside those of each of these: all roles in one app; the change feed's batches and the queues' messages
reach it one at a time; the host's own poison queue (after five deliveries) is not there, the kit's dead letters are.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from twofold.emulators import azurite, functions_host
from twofold.emulators.cosmos import CosmosFake
from twofold.emulators.dev_environment import SERVED, DeliveryFailed, DevEnvironment, Emulator, Timer
from twofold.emulators.event_grid import EventGridFake
from twofold.emulators.inherited_socket import InheritedSocketServer
from twofold.emulators.key_vault import KeyVaultFake
from twofold.emulators.managed_identity import ManagedIdentityFake
from twofold.manifest import ServiceManifest

if TYPE_CHECKING:
    from azure.storage.queue import QueueServiceClient

IMPORTED = (
    "azure_functions_runtime", "uvicorn", "azure.cosmos.aio", "azure.identity.aio", "azure.keyvault.secrets.aio",
    "azure.storage.queue.aio",
)  # fmt: skip
FEED_BATCH = 100
HIDDEN_SECONDS = 600


@contextmanager
def environment(
    manifest: ServiceManifest, root: Path, port: int, secrets: Mapping[str, str], log: int | None = None
) -> Iterator[DevEnvironment]:
    """The service under 127.0.0.1:port until the context ends. Raises TwofoldError; OSError when the port is taken."""
    prefix = f"{manifest.name}-dev"
    parts = [("door", "azure-functions-runtime, the library of the Functions worker")]
    sources: list[Callable[[], int]] = []
    emulators = []
    with ExitStack() as stack:
        environ = dict(stack.enter_context(ManagedIdentityFake()).environ)
        app = App()
        if manifest.blocks:
            cosmos = stack.enter_context(CosmosFake())
            environ["TWOFOLD_STORE_URL"] = cosmos.create(manifest.name, *manifest.store_collections)
            parts.append(("store", f"Cosmos DB {manifest.name}, a fake at https://{cosmos.host}"))
            if manifest.reads_feed:
                sources.append(ChangeFeedDelivery(cosmos, manifest.name, app))
                parts.append(("feed", "change feed of events"))
        if manifest.queues:
            storage = stack.enter_context(azurite.account())
            environ["TWOFOLD_QUEUE_URL"] = f"storagequeue://{storage.queue.removeprefix('https://')}/{prefix}"
            names = [f"{prefix}-{queue.name}{twin}" for queue in manifest.queues for twin in ("", "-poison")]
            create = partial(create_queues, storage, names)
            create()
            emulators.append(Emulator("Azurite", storage.server, create, "the messages of its queues are lost"))
            for queue in manifest.queues:
                sources.append(QueueDelivery(storage, prefix, queue.name, app))
                parts.append(
                    ("queue", f"Storage Queue {prefix}-{queue.name} and its -poison on Azurite {storage.queue}")
                )
        if manifest.publishes:
            topic = stack.enter_context(EventGridFake())
            environ["TWOFOLD_EVENTS_URL"] = f"eventgrid://{topic.host}"
            parts.append(("events", f"Event Grid, a fake at https://{topic.host}"))
        if manifest.secrets:
            vault = stack.enter_context(KeyVaultFake())
            for name, value in secrets.items():
                vault.set(name, value)
            environ["TWOFOLD_SECRETS_URL"] = vault.url
            parts += [("secret", f"Key Vault {one.name}, a fake at https://{vault.host}") for one in manifest.secrets]
        for spec in manifest.schedules:
            name = spec.name.replace("-", "_")
            sources.append(Timer(spec, partial(app.run, name, json.dumps({"IsPastDue": False}))))
        command = [functions_host.__file__, str(root), "--fd"]
        host = InheritedSocketServer([*SERVED, *IMPORTED], command, root, environ, port, log)
        stack.callback(host.close)
        app.url = host.url
        yield DevEnvironment(host.url, host, parts, environ, sources, emulators)


class App:
    """The app's functions, run as the host's admin endpoint does."""

    url = ""

    def run(self, name: str, data: str) -> None:
        """Raises DeliveryFailed with what the function raised."""
        answer = httpx.post(f"{self.url}/admin/functions/{name}", json={"input": data}, timeout=330)
        if answer.status_code != 200:
            raise DeliveryFailed(f"{name} failed: {answer.text.splitlines()[0] if answer.text else answer.status_code}")


class ChangeFeedDelivery:
    """What the change feed's trigger does with the app's retry policy: a batch again until it is taken."""

    def __init__(self, cosmos: CosmosFake, database: str, app: App) -> None:
        self._cosmos, self._app, self._after = cosmos, app, 0
        self._container = cosmos.containers[database, "events"]

    def __call__(self) -> int:
        with self._cosmos.lock:
            changes = self._container.changes(self._after)[:FEED_BATCH]
            batch = json.dumps([item for _, item in changes])
        if changes:
            self._app.run("feed", batch)
            self._after = changes[-1][0]
        return len(changes)


def _service(storage: azurite.Account) -> "QueueServiceClient":
    from azure.storage.queue import QueueServiceClient

    return QueueServiceClient(storage.queue, azurite.KEY, connection_verify=storage.certificate)


def create_queues(storage: azurite.Account, names: Iterable[str]) -> None:
    """The queues of a service, as its stack makes them."""
    with _service(storage) as service:
        for name in names:
            service.create_queue(name)


class QueueDelivery:
    """What the queue's trigger does: each message to the function, and deletes it when that returned."""

    def __init__(self, storage: azurite.Account, prefix: str, name: str, app: App) -> None:
        self._queue = _service(storage).get_queue_client(f"{prefix}-{name}")
        self._function, self._app = f"queue_{name.replace('-', '_')}", app

    def __call__(self) -> int:
        count, failure = 0, None
        for message in self._queue.receive_messages(visibility_timeout=HIDDEN_SECONDS, max_messages=16):
            try:
                self._app.run(self._function, message.content)
            except (DeliveryFailed, httpx.HTTPError) as exc:
                failure = exc
                self._queue.update_message(message, visibility_timeout=1)
                continue
            self._queue.delete_message(message)
            count += 1
        if failure:
            raise failure
        return count
