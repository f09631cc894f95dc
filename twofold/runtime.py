"""Runtime: one service in one process, behind any door.

A door (uvicorn, Lambda, Azure Functions) makes one Runtime and hands it what arrives: requests to `asgi`, commit
documents to `process_feed`, timers to `run_schedule`. Everything is built at the first use, once per process.
"""

import asyncio
import inspect
import logging
import os
import sys
import time
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from twofold import handlers
from twofold.bootstrap import Services, bootstrap
from twofold.http.lifespan import ASGIApp, Lifespan, Receive, Scope, Send
from twofold.manifest import QueueSpec, ScheduleSpec, ServiceManifest, load
from twofold.portable.document_store import Document
from twofold.portable.feed import Feed
from twofold.portable.idempotency import InProgress
from twofold.portable.lease import lease
from twofold.portable.logs import event, formatter
from twofold.portable.message import Message
from twofold.portable.message_queue import Delivery, RetryLater
from twofold.portable.metrics import SCHEDULES, STARTS, observe
from twofold.portable.telemetry import INTERNAL
from twofold.settings import Settings

SCHEDULE_SECONDS = 300
"""How long a scheduled run may take: what the clouds' functions are given."""
IN_PROGRESS_SECONDS = 15
"""The longest delay of a message that another worker has in hand."""
log = logging.getLogger("twofold.runtime")
_BEGUN = time.perf_counter()


class Runtime:
    """The service of a manifest under the settings of an environment.

    Making one reads and checks the settings (`SettingsError` lists every problem) and does no I/O. `root` is the folder
    that holds the entry files; an artifact's marker there means deployed. The user's lifespan runs exactly once, before
    the first request, commit or timer, also when several arrive together.
    """

    def __init__(
        self,
        manifest: ServiceManifest,
        *,
        root: Path,
        environ: Mapping[str, str] | None = None,
        services: Services | None = None,
    ) -> None:
        self.manifest = manifest
        self.settings = (
            services.settings if services else Settings.load(os.environ if environ is None else environ, manifest, root)
        )
        self.services = services or bootstrap(self.settings, manifest)
        self._app: ASGIApp | None = None
        self._lifespan: Lifespan | None = None
        self._starting: asyncio.Lock | None = None

    @property
    def embedded(self) -> bool:
        """Whether this is a checkout on the embedded store: its feed, queues and schedules are this process's own."""
        return self.settings.store_url.startswith("sqlite:") and not self.settings.deployed

    def format_logs(self) -> None:
        """Makes the root logger's handlers write lines of JSON; for somebody at a terminal, in a checkout, readable ones."""
        terminal = sys.stderr.isatty() and not self.settings.deployed
        lines = formatter(self.manifest.name, self.settings.environment, self.settings.role, terminal=terminal)
        for handler in logging.getLogger().handlers:
            handler.setFormatter(lines)

    def require_handlers(self) -> None:
        """Raises HandlerError unless every handler of this role can be called: each message would fail, and be dead in the end."""
        handlers.require(self.manifest, self.settings.role)

    async def start(self) -> None:
        """Builds the application and runs its lifespan; what is started already is left alone. Raises HandlerError."""
        if self._lifespan is not None:
            return
        self._starting = self._starting or asyncio.Lock()
        async with self._starting:
            if self._lifespan is not None:
                return
            self.require_handlers()
            from twofold.http.pipeline import wrap  # FastAPI: only once something is to be served

            app = self.build_app()
            lifespan = Lifespan(app)
            await lifespan.start()
            self._app = wrap(app, self.settings, self.services)
            self._lifespan = lifespan
            observe(STARTS, time.perf_counter() - _BEGUN)

    async def stop(self) -> None:
        """Runs the application's shutdown and releases every connection."""
        if self._lifespan is not None:
            await self._lifespan.stop()
        await self.services.close()

    async def asgi(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The service as an ASGI application, its lifespan run already: to be served with the server's own one off."""
        await self.start()
        assert self._app is not None and self._lifespan is not None
        scope.setdefault("state", {}).update(self._lifespan.state)
        await self._app(scope, receive, send)

    async def readiness(self) -> dict[str, Any]:
        """What `/health/ready` answers, for a unit that answers no requests: its status and each dependency's."""
        await self.start()
        from twofold.http.health import readiness  # FastAPI, which is loaded by now

        return (await readiness(self.services)).model_dump()

    async def process_feed(self, commits: Iterable[Document]) -> None:
        """Hands commit documents to every consumer. Raises `StoreUnavailable` when they must be delivered again."""
        await self.start()
        consumers = await self.services.consumers()
        await Feed(self.services.events, consumers, telemetry=self.services.telemetry).process(commits)

    async def run_schedule(self, name: str) -> None:
        """Runs one scheduled handler, unless a run of it is under way somewhere; ValueError for an unknown schedule."""
        await self.start()
        for spec in self.manifest.schedules:
            if spec.name == name:
                with self.services.telemetry.entry(f"run {name}", INTERNAL, None, {"twofold.schedule": name}):
                    await self._run(spec)
                return
        raise ValueError(f"no schedule {name!r} in the manifest; it has {[s.name for s in self.manifest.schedules]}")

    async def _run(self, spec: ScheduleSpec) -> None:
        started, name = time.perf_counter(), spec.name
        try:
            async with lease(self.services.documents, f"schedule:{name}", SCHEDULE_SECONDS) as mine:
                if mine:
                    await load(spec.handler)(self.services)
        except BaseException as exc:
            observe(SCHEDULES, time.perf_counter() - started, schedule=name, outcome="failure")
            event(log, "schedule", f"schedule {name} failed", started=started, outcome="failure",
                  level=logging.ERROR, error=exc, labels__schedule=name)  # fmt: skip
            raise
        if mine:
            observe(SCHEDULES, time.perf_counter() - started, schedule=name, outcome="success")
        outcome = "ran" if mine else "is running elsewhere: this run is left out"
        event(
            log, "schedule", f"schedule {name} {outcome}", started=started,
            outcome="success" if mine else "unknown", labels__schedule=name,
        )  # fmt: skip

    async def handle_delivery(self, spec: QueueSpec, delivery: Delivery) -> bool:
        """Runs a queue's worker on one delivery, for the queue's time at most, and settles it; True when it succeeded.

        Raises QueueUnavailable when neither a success nor a failure could be settled: then the message comes again.
        """
        await self.start()

        async def work(message: Message) -> None:
            try:
                async with asyncio.timeout(spec.visibility_seconds) as limit:
                    await self._handle(spec, message)
            except TimeoutError as exc:
                if limit.expired():
                    raise TimeoutError(f"it took longer than the queue's {spec.visibility_seconds} seconds") from exc
                raise

        return await self.services.queue.handle(delivery, work)

    async def _handle(self, spec: QueueSpec, message: Message) -> None:
        work = partial(load(spec.handler), self.services, message)
        if not spec.once:
            await work()
            return
        scope, seconds = f"queue {spec.name}", spec.visibility_seconds
        try:
            await self.services.idempotency.once(scope, message.id, message.fingerprint, work, lock=seconds)
        except InProgress as exc:  # or its worker died: then its lock runs out
            raise RetryLater(str(exc), seconds=min(seconds, IN_PROGRESS_SECONDS)) from exc

    def queue_named(self, cloud_name: str) -> QueueSpec:
        """The queue whose name in the cloud this is; ValueError when the manifest has none."""
        prefix = urlsplit(self.settings.queue_url).path.rpartition("/")[2]
        for spec in self.manifest.queues:
            if cloud_name == f"{prefix}-{spec.name}":
                return spec
        raise ValueError(f"no queue {cloud_name!r} in the manifest; it has {[s.name for s in self.manifest.queues]}")

    async def drain(self) -> None:
        """Does the embedded store's pending feed and queue work; nothing where the cloud's triggers do it."""
        if self.embedded:
            await load("twofold.local.loops:Loops")(self).drain()

    def build_app(self) -> Any:
        """The user's application, with the kit's health routes where it is a FastAPI one."""
        target = load(self.manifest.app)
        app = target(self.services) if inspect.isfunction(target) else target
        from fastapi import FastAPI

        if isinstance(app, FastAPI) and not any(getattr(route, "path", "") == "/health/live" for route in app.routes):
            from twofold.http.health import router

            app.include_router(router(self.services))
        if isinstance(app, FastAPI) and self.services.tokens is not None:
            self._describe_access(app)
        return app

    def _describe_access(self, app: Any) -> None:
        if self.settings.oidc_issuer:
            from twofold.http.auth import show_issuer
            from twofold.portable.oidc import discovery_url

            show_issuer(app, discovery_url(self.settings.oidc_issuer))
        else:
            app.include_router(load("twofold.local.issuer_routes:router")(self.manifest))
            app.swagger_ui_init_oauth = app.swagger_ui_init_oauth or {"clientId": load("twofold.local.issuer:SUBJECT")}
