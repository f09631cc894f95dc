"""What a Flex Consumption app runs on: the worker's real library on the app's own files, and its triggers' listeners.

Known divergences: one instance, which is always there; batches and messages come one at a time; a schedule runs when it is
asked to; the leases container is looked at, not written.
"""

import contextlib
import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
from importlib import metadata
from pathlib import Path

import httpx
from azure.core.credentials import AccessToken
from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueClient

from tests.engine.emulated.azure.data import Database
from tests.engine.front import forwarded
from twofold.emulators import functions_host
from twofold.emulators.dev_environment import DeliveryFailed, Pumps
from twofold.emulators.managed_identity import ManagedIdentityFake
from twofold.emulators.process import end, free_port

PLATFORM = ("azure-functions-runtime", "azurefunctions-extensions-base", "uvicorn", "click", "h11")
"""What the worker and the host's stand-in bring along; all else is the artifact's, or missing."""
START_SECONDS = 120


class Listeners(Pumps):
    """Those of one app; an empty queue is asked again after half a second."""

    IDLE_SECONDS = 0.5


class HostFailed(Exception):
    """The host does not start; the message has why."""


class Login:
    """An identity of the app, as its SDKs' credential."""

    def __init__(self, account, identity):
        self._account, self._principal = account, identity.principal

    def get_token(self, *scopes, **options):
        """See azure-identity."""
        return AccessToken(self._account.token(self._principal, scopes[0].removesuffix("/.default")), 4_000_000_000)


class Host:
    """The app's process and its triggers, from an unpacked zip and its settings, until `close`. `functions` has each one's trigger.

    `told` is what its listeners complained of. Raises HostFailed.
    """

    def __init__(self, account, app, package, settings, identities):
        self._account, self._app, self._settings, self._identities = account, app, settings, identities
        self.messages, self._running = [], contextlib.ExitStack()
        try:
            self._start(package)
        except BaseException:
            self._running.close()
            raise

    def close(self):
        self._running.close()

    def run(self, name, data):
        """Runs a function as its listener does. Raises DeliveryFailed with what it raised."""
        answer = httpx.post(
            f"http://127.0.0.1:{self._port}/admin/functions/{name}", json={"input": data}, timeout=330, trust_env=False
        )
        if answer.status_code != 200:
            raise DeliveryFailed(f"{self._app} {name}: {answer.text}")

    def answer(self, request, headers):
        """What its HTTP function answers."""
        return forwarded(http.client.HTTPConnection("127.0.0.1", self._port), request, headers)

    def identity(self, client):
        """The app's identity of this client id; HostFailed when it has none such."""
        identities = [one for one in self._identities if one.client == client]
        if not identities:
            raise HostFailed(f"{self._app} has no identity {client!r}")
        return identities[0]

    def connection(self, prefix):
        """The settings of a connection by identity, and that identity's login."""
        own = {
            key.removeprefix(f"{prefix}__"): value
            for key, value in self._settings.items()
            if key.startswith(f"{prefix}__")
        }
        if own.get("credential") != "managedidentity":
            raise HostFailed(f"{self._app} has no connection {prefix} by managed identity")
        identity = self.identity(own.get("clientId"))
        return own, identity, Login(self._account, identity)

    def _start(self, package):
        self._lock()
        folder = Path(self._running.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        identity = ManagedIdentityFake(self._token)
        self._running.callback(identity.close)
        environ = {
            "PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": os.pathsep.join([str(package / ".python_packages/lib/site-packages"), platform(folder)]),
            **self._account.front.environ, **identity.environ,
        }  # fmt: skip
        del environ["AZURE_CLIENT_ID"]  # is the app's own to set
        self._port, self.log = free_port(), folder / "log"
        command = [sys._base_executable, functions_host.__file__, str(package), str(self._port)]
        with self.log.open("w") as lines:
            process = subprocess.Popen(
                command, env=environ | self._settings, stdout=lines, stderr=lines, process_group=0
            )
        self._running.callback(end, process, 5)
        self.functions = self._indexed(process)
        pumps = Listeners(list(self._listeners(json.loads((package / "host.json").read_text()))), self.messages.append)
        self._running.callback(pumps.close)

    def _lock(self):
        """The host's lock in its storage: one app under each host id, which is the first 32 characters of its name."""
        own, _, login = self.connection("AzureWebJobsStorage")
        host_id = self._settings.get("AzureFunctionsWebHost__hostid")
        url = f"https://{own['accountName']}.blob.core.windows.net"
        with self._client(BlobServiceClient, url, credential=login) as service:
            container = service.get_container_client("azure-webjobs-hosts")
            with contextlib.suppress(ResourceExistsError):  # another app's host was first
                container.create_container()
            blob = container.get_blob_client(f"locks/{host_id or self._app[:32]}/host")
            holder = blob.download_blob().readall().decode() if blob.exists() else self._app
            if holder != self._app:
                raise HostFailed(f"{self._app} has the host id of {holder}")
            blob.upload_blob(self._app, overwrite=True)

    def _client(self, kind, *arguments, **options):
        proxies = {"https": self._account.front.proxy}
        return kind(
            *arguments, **options, proxies=proxies, connection_verify=self._account.front.trusted, retry_total=0
        )

    def _token(self, client, resource):
        identities = [one for one in self._identities if one.client == client]
        return self._account.token(identities[0].principal, resource) if identities else None

    def _indexed(self, process):
        for _ in range(START_SECONDS * 20):
            if process.poll() is not None:
                break
            with contextlib.suppress(httpx.TransportError):
                return httpx.get(f"http://127.0.0.1:{self._port}/admin/functions", trust_env=False).json()
            threading.Event().wait(0.05)
        raise HostFailed(f"{self._app} does not start: {self.log.read_text()[-3000:]}")

    def _listeners(self, host):
        for name, trigger in self.functions.items():
            match trigger["type"]:
                case "cosmosDBTrigger":
                    yield Feed(self, self._account, name, trigger)
                case "queueTrigger":
                    own, _, login = self.connection(trigger["connection"])
                    queues = [
                        self._client(QueueClient, own["queueServiceUri"], trigger["queueName"] + twin, credential=login)
                        for twin in ("", "-poison")
                    ]
                    yield Messages(self, name, queues, host["extensions"]["queues"])
                case "httpTrigger" | "timerTrigger":
                    pass
                case other:
                    raise HostFailed(f"{name} has a {other}, which nothing here listens for")


class Feed:
    """The change feed's listener, with the retry policy that the app asks for: a batch again until it is taken."""

    def __init__(self, host, account, name, trigger):
        own, identity, _ = host.connection(trigger["connection"])
        fronted = {database.host: database for database in account.all(Database)}
        self._database = fronted[own["accountEndpoint"].split("/")[2].partition(":")[0]]
        if trigger.get("retry", {}).get("maxRetryCount") not in (None, -1, "-1"):
            raise HostFailed(f"{name} gives up after {trigger['retry']}")
        if not account.allows(identity.principal, "items/write", self._database.id):
            raise HostFailed(f"{name}: its identity may not write the leases")
        containers, inside = self._database.fake.containers, trigger["databaseName"]
        if containers[inside, trigger["leaseContainerName"]].key != "id":
            raise HostFailed(f"{name}: a leases container is partitioned by /id")
        self._container = containers[inside, trigger["containerName"]]
        self._after = 0 if trigger.get("startFromBeginning") else max(self._container.lsn.values(), default=0)
        self._most, self._host, self._name = int(trigger.get("maxItemsPerInvocation", 100)), host, name

    def __call__(self):
        with self._database.fake.lock:
            changes = self._container.changes(self._after)[: self._most]
            batch = json.dumps([item for _, item in changes])
        if changes:
            self._host.run(self._name, batch)
            self._after = changes[-1][0]
        return len(changes)


class Messages:
    """A queue's listener: a message is deleted when the function returned, comes again when it raised, and goes to the poison
    queue when it did so too often."""

    def __init__(self, host, name, queues, options):
        (self._queue, self._poison), self._host, self._name = queues, host, name
        self._most, self._tries = options["batchSize"], options["maxDequeueCount"]
        hours, minutes, seconds = map(int, options["visibilityTimeout"].split(":"))
        self._pause = 3600 * hours + 60 * minutes + seconds

    def __call__(self):
        done = 0
        for message in self._queue.receive_messages(
            visibility_timeout=600, messages_per_page=self._most, max_messages=self._most
        ):
            try:
                self._host.run(self._name, message.content)
            except DeliveryFailed as failure:
                if message.dequeue_count < self._tries:
                    self._host.messages.append(str(failure))
                    self._queue.update_message(message, visibility_timeout=self._pause)
                    continue
                self._poison.send_message(message.content)
            self._queue.delete_message(message)
            done += 1
        return done


def platform(folder):
    """A folder with the platform's own packages, and nothing else of this environment."""
    target = folder / "platform"
    target.mkdir()
    for name in PLATFORM:
        distribution = metadata.distribution(name)
        for top in {Path(str(file)).parts[0] for file in distribution.files or ()} - {".."}:
            (target / top).symlink_to(distribution.locate_file(top))
    return str(target)
