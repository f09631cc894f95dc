"""The one composition root: Settings and manifest in, Services out. Drivers are opened by their URLs' schemes."""

import asyncio
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from twofold import __version__
from twofold.driver_registry import open_driver
from twofold.errors import SettingsError
from twofold.manifest import ProjectionSpec, ServiceManifest, load
from twofold.portable import metrics
from twofold.portable.access_token import TokenVerifier
from twofold.portable.cache import Cache, CacheDriver
from twofold.portable.document_store import DocumentDriver, DocumentStore
from twofold.portable.event_publisher import EventPublisher, PublisherDriver
from twofold.portable.event_store import EventStore, Upcasters
from twofold.portable.feed import Consumer
from twofold.portable.idempotency import Idempotency
from twofold.portable.issuer_keys import IssuerKeys, KeySource
from twofold.portable.message_queue import MessageQueue, QueueDriver
from twofold.portable.oidc import OidcIssuer
from twofold.portable.read_model import ReadModel, ReadModels
from twofold.portable.resilience import Limits, Outbound
from twofold.portable.secret_store import SecretDriver, SecretStore
from twofold.portable.telemetry import OFF, Telemetry
from twofold.settings import Settings


@dataclass(slots=True)
class Services:
    """What handlers and routes work with. Everything is shared by the process and safe for concurrent use."""

    manifest: ServiceManifest
    settings: Settings
    documents: DocumentStore
    events: EventStore
    read_models: ReadModels
    queue: MessageQueue
    publisher: EventPublisher
    secrets: SecretStore
    idempotency: Idempotency
    tokens: TokenVerifier | None
    cache: Cache
    telemetry: Telemetry = OFF
    _outbound: dict[str, Outbound] = field(default_factory=dict, repr=False)

    def outbound(self, name: str, base_url: str, limits: Limits | None = None, *, transport: Any = None) -> Outbound:
        """The process's one client of another service: made at the first call, shared with its breaker by all others."""
        if name not in self._outbound:
            shared = self.cache if self.cache.shared else None
            self._outbound[name] = Outbound(name, base_url, limits, transport=transport, cache=shared)
        return self._outbound[name]

    @property
    def outbounds(self) -> tuple[Outbound, ...]:
        """The clients that were made so far."""
        return tuple(self._outbound.values())

    async def consumers(self) -> list[Consumer]:
        """Everything that a commit must reach now: the feed consumers, and each projection once per generation written."""
        consumers = [
            Consumer(spec.name, partial(self._call, spec.handler), spec.max_attempts)
            for spec in self.manifest.consumers
        ]
        for spec in self.manifest.projections:
            for generation in (await self.read_models.generations(spec.name)).written:
                consumers.append(self.projector(spec, self.read_models.generation(spec.name, generation)))
        return consumers

    def projector(self, spec: ProjectionSpec, model: ReadModel) -> Consumer:
        """The consumer that writes a projection into this generation of its read model."""
        return Consumer(model.name, partial(self._call, spec.handler, model), spec.max_attempts)

    async def _call(self, handler: str, *arguments: object) -> None:
        await load(handler)(self, *arguments)

    async def close(self) -> None:
        """Releases every connection."""
        for client in self._outbound.values():
            await client.close()
        await self.queue.close()
        await self.publisher.close()
        await self.secrets.close()
        await self.cache.close()
        await self.documents.close()
        await asyncio.to_thread(self.telemetry.close)
        if self.settings.metrics_url:
            await asyncio.to_thread(metrics.close)


def bootstrap(
    settings: Settings,
    manifest: ServiceManifest,
    *,
    document_driver: DocumentDriver | None = None,
    secret_driver: SecretDriver | None = None,
    queue_driver: QueueDriver | None = None,
    publisher_driver: PublisherDriver | None = None,
    cache_driver: CacheDriver | None = None,
    upcasters: Upcasters | None = None,
    tokens: TokenVerifier | None = None,
    telemetry: Telemetry | None = None,
) -> Services:
    """Wires the blocks for these settings. Keywords replace a driver, for tests; nothing is patched, nothing connects."""
    if upcasters is None and manifest.upcasters:
        upcasters = load(manifest.upcasters)
    documents = DocumentStore(document_driver or open_driver("store", settings.store_url), manifest.store_collections)
    queue_driver = queue_driver or open_driver("queue", settings.queue_url)
    publisher_driver = publisher_driver or open_driver("events", settings.events_url)
    source = f"/{manifest.name}"
    telemetry = telemetry or _telemetry(settings, manifest)
    if settings.metrics_url:
        resource = {"service": manifest.name, "environment": settings.environment, "unit": settings.role}
        metrics.use(open_driver("metrics", settings.metrics_url, **resource))
    return Services(
        manifest=manifest,
        settings=settings,
        documents=documents,
        events=EventStore(documents, upcasters=upcasters),
        read_models=ReadModels(documents),
        queue=MessageQueue(queue_driver, manifest.queues, source=source, telemetry=telemetry),
        publisher=EventPublisher(publisher_driver, manifest.publishes, source=source),
        secrets=SecretStore(secret_driver or open_driver("secrets", settings.secrets_url)),
        idempotency=Idempotency(documents),
        tokens=tokens or (_tokens(settings, manifest) if manifest.scopes else None),
        cache=Cache(
            cache_driver or open_driver("cache", settings.cache_url), prefix=f"{manifest.name}-{settings.environment}:"
        ),
        telemetry=telemetry,
    )


def _telemetry(settings: Settings, manifest: ServiceManifest) -> Telemetry:
    if not settings.telemetry_url:
        return OFF
    from twofold.portable.tracing import Tracing  # OpenTelemetry's SDK: only where traces go somewhere

    resource = {
        "service.name": manifest.name,
        "service.version": __version__,
        "deployment.environment.name": settings.environment,
        "twofold.unit": settings.role,
    }
    exporter = open_driver("telemetry", settings.telemetry_url)
    return Tracing(exporter, resource=resource, ratio=settings.trace_ratio)


def _tokens(settings: Settings, manifest: ServiceManifest) -> TokenVerifier:
    source: KeySource
    if settings.oidc_issuer:
        source, issuer, audience = OidcIssuer(settings.oidc_issuer), settings.oidc_issuer, settings.oidc_audience
    elif settings.deployed:
        raise SettingsError(["a deployed service needs an issuer of access tokens: set TWOFOLD_OIDC_ISSUER"])
    else:
        source, issuer, audience = (
            load("twofold.local.issuer:DevelopmentIssuer")(),
            load("twofold.local.issuer:ISSUER"),
            manifest.name,
        )
    return TokenVerifier(IssuerKeys(source), issuer=issuer, audience=audience, service=manifest.name)
