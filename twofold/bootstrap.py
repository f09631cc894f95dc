"""The one composition root: Settings and manifest in, Services out. Drivers are opened by their URLs' schemes."""

from dataclasses import dataclass, field
from typing import Any

from twofold.homes import open_driver
from twofold.manifest import ServiceManifest, load
from twofold.portable.document_store import DocumentDriver, DocumentStore
from twofold.portable.event_publisher import EventPublisher, PublisherDriver
from twofold.portable.event_store import EventStore, Upcasters
from twofold.portable.idempotency import Idempotency
from twofold.portable.message_queue import MessageQueue, QueueDriver
from twofold.portable.resilience import Limits, Outbound
from twofold.portable.secret_store import SecretDriver, SecretStore
from twofold.settings import Settings


@dataclass(slots=True)
class Services:
    """What handlers and routes work with. Everything is shared by the process and safe for concurrent use."""

    manifest: ServiceManifest
    settings: Settings
    documents: DocumentStore
    events: EventStore
    queue: MessageQueue
    publisher: EventPublisher
    secrets: SecretStore
    idempotency: Idempotency
    _outbound: dict[str, Outbound] = field(default_factory=dict, repr=False)

    def outbound(self, name: str, base_url: str, limits: Limits | None = None, *, transport: Any = None) -> Outbound:
        """The process's one client of another service: made at the first call, shared with its breaker by all others."""
        if name not in self._outbound:
            self._outbound[name] = Outbound(name, base_url, limits, transport=transport)
        return self._outbound[name]

    async def close(self) -> None:
        """Releases every connection."""
        for client in self._outbound.values():
            await client.close()
        await self.queue.close()
        await self.publisher.close()
        await self.secrets.close()
        await self.documents.close()


def bootstrap(
    settings: Settings,
    manifest: ServiceManifest,
    *,
    document_driver: DocumentDriver | None = None,
    secret_driver: SecretDriver | None = None,
    queue_driver: QueueDriver | None = None,
    publisher_driver: PublisherDriver | None = None,
    upcasters: Upcasters | None = None,
) -> Services:
    """Wires the blocks for these settings. Keywords replace a driver, for tests; nothing is patched, nothing connects."""
    if upcasters is None and manifest.upcasters:
        upcasters = load(manifest.upcasters)
    documents = DocumentStore(document_driver or open_driver("store", settings.store_url))
    queue_driver = queue_driver or open_driver("queue", settings.queue_url)
    publisher_driver = publisher_driver or open_driver("events", settings.events_url)
    source = f"/{manifest.name}"
    return Services(
        manifest=manifest,
        settings=settings,
        documents=documents,
        events=EventStore(documents, upcasters=upcasters),
        queue=MessageQueue(queue_driver, manifest.queues, source=source),
        publisher=EventPublisher(publisher_driver, manifest.publishes, source=source),
        secrets=SecretStore(secret_driver or open_driver("secrets", settings.secrets_url)),
        idempotency=Idempotency(documents),
    )
