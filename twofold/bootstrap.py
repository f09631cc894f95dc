"""The one composition root: Settings and manifest in, Services out. Drivers are opened by their URLs' schemes."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twofold.homes import open_driver
from twofold.manifest import ServiceManifest, load
from twofold.portable.document_store import DocumentDriver, DocumentStore
from twofold.portable.event_store import EventStore, Upcasters
from twofold.portable.idempotency import Idempotency
from twofold.portable.message_queue import MessageQueue, QueueDriver
from twofold.portable.secret_store import SecretDriver, SecretStore
from twofold.settings import Settings

if TYPE_CHECKING:
    import httpx


@dataclass(slots=True)
class Services:
    """What handlers and routes work with. Everything is shared by the process and safe for concurrent use."""

    manifest: ServiceManifest
    settings: Settings
    documents: DocumentStore
    events: EventStore
    queue: MessageQueue
    secrets: SecretStore
    idempotency: Idempotency
    _http: "httpx.AsyncClient | None" = field(default=None, repr=False)

    @property
    def http(self) -> "httpx.AsyncClient":
        """The process's outbound HTTP client: pooled connections, 10 s at most, no redirects."""
        if self._http is None:
            import httpx  # half a FastAPI import: only where a call goes out

            self._http = httpx.AsyncClient(timeout=10, limits=httpx.Limits(max_connections=40))
        return self._http

    async def close(self) -> None:
        """Releases every connection."""
        if self._http is not None:
            await self._http.aclose()
        await self.queue.close()
        await self.secrets.close()
        await self.documents.close()


def bootstrap(
    settings: Settings,
    manifest: ServiceManifest,
    *,
    document_driver: DocumentDriver | None = None,
    secret_driver: SecretDriver | None = None,
    queue_driver: QueueDriver | None = None,
    upcasters: Upcasters | None = None,
) -> Services:
    """Wires the blocks for these settings. Keywords replace a driver, for tests; nothing is patched, nothing connects."""
    if upcasters is None and manifest.upcasters:
        upcasters = load(manifest.upcasters)
    documents = DocumentStore(document_driver or open_driver("store", settings.store_url))
    queue_driver = queue_driver or open_driver("queue", settings.queue_url)
    return Services(
        manifest=manifest,
        settings=settings,
        documents=documents,
        events=EventStore(documents, upcasters=upcasters),
        queue=MessageQueue(queue_driver, manifest.queues, source=f"/{manifest.name}"),
        secrets=SecretStore(secret_driver or open_driver("secrets", settings.secrets_url)),
        idempotency=Idempotency(documents),
    )
