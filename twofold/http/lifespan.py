"""Runs an ASGI application's lifespan once per process, whatever door its requests come through."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

log = logging.getLogger("twofold.lifespan")

type Scope = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
type Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
type ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]


class Lifespan:
    """The ASGI lifespan protocol as two awaits. `state` is what the application put there for its requests.

    An application that does not speak the protocol (it raises before `startup.complete`) is served without one, as the
    ASGI specification says; one that answers `startup.failed` makes `start` raise RuntimeError.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.state: dict[str, Any] = {}
        self._events: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self._started = asyncio.Event()
        self._stopped = asyncio.Event()
        self._failure: str | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Runs the application's startup to its end."""
        self._task = asyncio.create_task(self._run())
        await self._events.put({"type": "lifespan.startup"})
        await self._started.wait()
        if self._failure is not None:
            raise RuntimeError(f"the application failed to start: {self._failure}")

    async def stop(self) -> None:
        """Runs the application's shutdown to its end."""
        if self._task is not None and not self._task.done():
            await self._events.put({"type": "lifespan.shutdown"})
            await self._stopped.wait()

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        try:
            await self._app(scope, self._events.get, self._send)
        except Exception:
            # Who speaks the protocol sends startup.failed before raising; all others are served without a lifespan.
            log.debug("the application has no lifespan", exc_info=True)
        finally:
            self._started.set()
            self._stopped.set()

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        match message["type"]:
            case "lifespan.startup.complete":
                self._started.set()
            case "lifespan.startup.failed":
                self._failure = message.get("message") or "no reason given"
                self._started.set()
            case "lifespan.shutdown.complete" | "lifespan.shutdown.failed":
                self._stopped.set()
