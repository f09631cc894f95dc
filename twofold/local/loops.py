"""The embedded default's background work: projector, workers and scheduler, as the manifest declares them."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

from twofold.errors import TwofoldError
from twofold.local.feed import LocalFeed
from twofold.manifest import QueueSpec, ScheduleSpec
from twofold.portable.failure import reason
from twofold.portable.message_queue import Delivery
from twofold.runtime import Runtime

IDLE_SECONDS = 0.1
FEED_BATCH = 200
WORKER_CONCURRENCY = 8
GRACE_SECONDS = 8
"""How long work in hand may take after `stop`; then its messages are returned and its commits come again."""

log = logging.getLogger("twofold.loops")


class Loops:
    """Runs the projector, one worker loop per queue and one timer per schedule, until `stop`.

    `stop` lets the work in hand end within `GRACE_SECONDS`. What does not end by then is cancelled: its messages are
    made visible again, its commits are delivered again after the next start. Nothing is lost either way.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._feed = LocalFeed.of(runtime.services.documents.driver)
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Starts the loops on the running event loop."""
        manifest = self._runtime.manifest
        if manifest.reads_feed:
            self._spawn("projector", self._project)
        for queue in manifest.queues:
            self._spawn(f"worker {queue.name}", partial(self._work, queue))
        for schedule in manifest.schedules:
            self._tasks.append(asyncio.create_task(self._tick(schedule)))

    async def stop(self) -> None:
        """Ends the loops; see the class for what becomes of the work in hand."""
        self._stopping.set()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=GRACE_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def drain(self) -> None:
        """Does what is due now, once: feed, then queues, until neither has any more."""
        while await self._project() + sum([await self._work(queue) for queue in self._runtime.manifest.queues]):
            pass

    def _spawn(self, name: str, step: Callable[[], Awaitable[int]]) -> None:
        async def loop() -> None:
            pause = IDLE_SECONDS
            while not self._stopping.is_set():
                try:
                    count = await step()
                    pause = IDLE_SECONDS
                except TwofoldError as exc:
                    count, pause = 0, min(pause * 2, 5.0)
                    log.warning("%s pauses for %.1f s: %s", name, pause, reason(exc))
                if not count:
                    await self._sleep(pause)

        self._tasks.append(asyncio.create_task(loop(), name=name))

    async def _project(self) -> int:
        if not self._runtime.manifest.reads_feed:
            return 0
        after = await self._feed.cursor()
        changes = await self._feed.changes(after, FEED_BATCH)
        if changes:
            await self._runtime.process_feed(document for _, document in changes)
            await self._feed.advance(changes[-1][0])
        return len(changes)

    async def _work(self, spec: QueueSpec) -> int:
        deliveries = await self._runtime.services.queue.receive(spec.name, limit=WORKER_CONCURRENCY)
        await asyncio.gather(*(self._deliver(spec, delivery) for delivery in deliveries))
        return len(deliveries)

    async def _deliver(self, spec: QueueSpec, delivery: Delivery) -> None:
        try:
            await self._runtime.handle_delivery(spec, delivery)
        except asyncio.CancelledError:
            await self._runtime.services.queue.driver.release(delivery)
            raise

    async def _tick(self, spec: ScheduleSpec) -> None:
        period = spec.every_minutes * 60
        while not self._stopping.is_set():
            await self._sleep(period - time.time() % period)
            if not self._stopping.is_set():
                try:
                    await self._runtime.run_schedule(spec.name)
                except Exception:  # the next run is the retry
                    log.exception("schedule %s failed", spec.name)

    async def _sleep(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)
