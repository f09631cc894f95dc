"""Feed: every commit of the event store reaches every consumer, at least once, in order per stream.

The clouds' feeds differ (DynamoDB Streams block and retry, the Cosmos trigger moves on after a failure), so a delivered
commit is only a hint that its stream has moved. Each consumer keeps a checkpoint per stream and is brought from there to
the stream's end out of the event store itself: a lost, doubled or reordered delivery changes nothing.

Stored in `documents`, format 1: partition `feed:<consumer>:<stream>`, id `checkpoint`,
`{"format": 1, "position": <events consumed>, "parked": <bool>}`; and, for each parked stream, partition
`parked:<consumer>`, id the stream, `{"format": 1, "stream", "position", "failure", "at"}`, and `trace` where it is known in
which lines it was raised.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from twofold.errors import Conflict, DependencyDown, EventFormatError, StoreError, StoreThrottled, StoreUnavailable
from twofold.portable.document_store import ABSENT, Document, DocumentStore, at_version
from twofold.portable.event_store import Commit, EventStore
from twofold.portable.failure import frames, reason
from twofold.portable.logs import Outcome, event
from twofold.portable.metrics import COMMITS, LAG, PARKED, observe
from twofold.portable.resilience import OutboundFailed
from twofold.portable.telemetry import CONSUMER, OFF, Telemetry

CHECKPOINTS = "documents"
FORMAT = 1
CHUNK = 256
"""So many streams are read before progress is told again."""
type Progress = Callable[[str, int, int | None], None]
"""`(what is being done, how much is done, of how much)`; None while that is not known."""
log = logging.getLogger("twofold.feed")


class CheckpointMoved(Exception):
    """Another process moved the checkpoint of this stream and consumer meanwhile."""


@dataclass(frozen=True, slots=True)
class Consumer:
    """A named handler of commits and how often it is tried before the stream is parked for it."""

    name: str
    handle: Callable[[Commit], Awaitable[None]]
    max_attempts: int = 5

    @property
    def declared_name(self) -> str:
        """Its name in the manifest: a projection's generations share it."""
        return self.name.partition("@")[0]


@dataclass(frozen=True, slots=True)
class Parked:
    """A stream that waits for redrive: `consumer` failed at the commit whose first event is `position`."""

    consumer: str
    stream: str
    position: int
    failure: str
    at: int
    trace: str | None = None


class Feed:
    """Runs consumers over the commits of the event store.

    - At least once, in order per stream and consumer in each process. Two may bring it one stream's commits at once (a replay
      beside the feed), so a handler is idempotent per stream position, and one that comes late writes nothing older.
    - A handler that fails is tried `max_attempts` times with doubling pauses; then the stream is parked for this
      consumer: a reference with the failure is stored, later commits of that stream wait behind it, others go on.
    - When the store itself is down `process` raises, and the feed's own retries deliver again. So it does when something else
      of the stack's is down for a consumer (`DependencyDown`), once the other consumers are up to date: no attempt is counted.
      Somebody else's service is an attempt like any other: it must not hold up every read model.
    """

    def __init__(
        self, events: EventStore, consumers: Sequence[Consumer], *,
        retry_pause: float = 0.2, telemetry: Telemetry = OFF,
    ) -> None:  # fmt: skip
        self._events, self._telemetry = events, telemetry
        self._documents: DocumentStore = events.documents
        self._consumers = {consumer.name: consumer for consumer in consumers}
        self._retry_pause = retry_pause

    async def process(self, commits: Iterable[Document]) -> None:
        """Brings every consumer up to date with the streams of these commit documents; different streams side by side."""
        streams = dict.fromkeys(document.partition for document in commits)
        await self.process_streams(streams)

    async def process_streams(self, streams: Iterable[str]) -> None:
        """Brings every consumer up to date with these streams. Raises `StoreUnavailable` when the store fails."""
        gate, waiting = asyncio.Semaphore(16), dict[str, DependencyDown]()

        async def one(stream: str, consumer: Consumer) -> None:
            async with gate:
                if consumer.name in waiting:
                    return
                try:
                    await self._catch_up(stream, consumer)
                except (StoreThrottled, StoreUnavailable):
                    raise
                except DependencyDown as exc:
                    waiting[consumer.name] = exc

        try:
            async with asyncio.TaskGroup() as group:
                for stream in streams:
                    for consumer in self._consumers.values():
                        group.create_task(one(stream, consumer))
        except* StoreError as failed:
            raise StoreUnavailable(f"the feed stopped: {failed.exceptions[0]}") from failed
        for name, exc in waiting.items():
            raise StoreUnavailable(f"the feed stopped, consumer {name} waits: {reason(exc)}") from exc

    async def catch_up(self, progress: Progress) -> int:
        """Brings every consumer up to date with every stream there is, delivered or not; returns how many there are.

        For an operator: it reads the whole store. Raises `StoreUnavailable` when the store fails; then run it again.
        """
        streams: list[str] = []
        async for stream in self._events.streams():
            streams.append(stream)
            if len(streams) % CHUNK == 0:
                progress("finding streams", len(streams), None)
        for start in range(0, len(streams), CHUNK):
            await self.process_streams(streams[start : start + CHUNK])
            progress("replaying", min(start + CHUNK, len(streams)), len(streams))
        return len(streams)

    async def parked(self, consumer: str) -> list[Parked]:
        """What is parked for a consumer, by stream name."""
        return [
            Parked(
                consumer,
                document.id,
                document.body["position"],
                document.body["failure"],
                document.body["at"],
                document.body.get("trace"),
            )
            async for document in self._documents.query_all(CHECKPOINTS, f"parked:{consumer}")
        ]

    async def redrive(self, consumer: str, stream: str) -> bool:
        """Takes a parked stream up again where it stopped; True when it is now up to date, False when it parked again.

        What is told by `parked` goes last: after a crash the stream is still there, to be redriven again.
        """
        reference = await self._documents.get(CHECKPOINTS, f"parked:{consumer}", stream)
        partition = _partition(consumer, stream)
        checkpoint = await self._documents.get(CHECKPOINTS, partition, "checkpoint")
        if checkpoint is not None and checkpoint.body["parked"]:
            body = {**checkpoint.body, "parked": False}
            await self._documents.put(
                CHECKPOINTS, partition, "checkpoint", body, condition=at_version(checkpoint.version)
            )
        caught_up = await self._catch_up(stream, self._consumers[consumer])
        if caught_up and reference is not None:
            await self._unpark(consumer, stream, reference.version)
        return caught_up

    async def _catch_up(self, stream: str, consumer: Consumer) -> bool:
        partition = _partition(consumer.name, stream)
        checkpoint = await self._documents.get(CHECKPOINTS, partition, "checkpoint")
        if checkpoint is not None and checkpoint.body["parked"]:
            return False
        position = checkpoint.body["position"] if checkpoint else 0
        version = checkpoint.version if checkpoint else None
        failure: Exception | None = None
        try:
            async for commit in self._events.commits(stream, after=position):
                if failure := await self._handle(consumer, commit):
                    break
                version = await self._checkpoint(partition, version, commit.end, parked=False)
                position = commit.end
        except EventFormatError as exc:
            failure = exc
        except CheckpointMoved:
            # Another process serves this stream too and may have read it before our commit came: start over from there.
            return await self._catch_up(stream, consumer)
        if failure is None:
            return True
        reference = await self._park(consumer, stream, position, failure)
        try:
            await self._checkpoint(partition, version, position, parked=True)
        except CheckpointMoved:
            # Perhaps the other process parked it: then ours is the reference to that too.
            if caught_up := await self._catch_up(stream, consumer):
                await self._unpark(consumer.name, stream, reference)
            return caught_up
        return False

    async def _checkpoint(self, partition: str, version: str | None, position: int, *, parked: bool) -> str:
        body = {"format": FORMAT, "position": position, "parked": parked}
        condition = at_version(version) if version else ABSENT
        try:
            return await self._documents.put(CHECKPOINTS, partition, "checkpoint", body, condition=condition)
        except Conflict as exc:
            raise CheckpointMoved from exc

    async def _handle(self, consumer: Consumer, commit: Commit) -> Exception | None:
        started = time.perf_counter()
        attributes: dict[str, str | int] = {
            "messaging.system": "twofold",
            "messaging.destination.name": "feed",
            "messaging.operation.name": "process",
            "messaging.operation.type": "process",
            "messaging.consumer.group.name": consumer.name,
            "twofold.stream": commit.stream,
            "twofold.position": commit.first,
        }
        with self._telemetry.entry(f"process {consumer.name}", CONSUMER, commit.traceparent, attributes) as span:
            failure = await self._try(consumer, commit)
            if failure is not None:
                span.fail(type(failure).__name__)
            outcome: Outcome = "success" if failure is None else "failure"
            lag = max(0.0, round(time.time() - commit.events[-1].at, 3))
            observe(COMMITS, time.perf_counter() - started, consumer=consumer.declared_name, outcome=outcome)
            observe(LAG, lag, consumer=consumer.declared_name)
            event(
                log, "commit", f"consumer {consumer.name}: {commit.stream}/{commit.first}", started=started,
                outcome=outcome, twofold__lag=lag,
                labels__consumer=consumer.declared_name, labels__stream=commit.stream, labels__position=str(commit.first),
            )  # fmt: skip
        return failure

    async def _try(self, consumer: Consumer, commit: Commit) -> Exception | None:
        failure = None
        for attempt in range(1, consumer.max_attempts + 1):
            try:
                await consumer.handle(commit)
                return None
            except Exception as exc:
                if (down := _down(exc)) is not None:
                    raise down from None  # that is not this commit's failure: the whole delivery comes again
                failure = exc
                log.warning(
                    "consumer %s failed at %s/%d, attempt %d of %d: %s",
                    consumer.name, commit.stream, commit.first, attempt, consumer.max_attempts, reason(exc), exc_info=exc,
                )  # fmt: skip
                if attempt < consumer.max_attempts:
                    await asyncio.sleep(self._retry_pause * 2 ** (attempt - 1))
        return failure

    async def _park(self, consumer: Consumer, stream: str, position: int, failure: Exception) -> str:
        why = reason(failure)[:2000]
        body = {
            "format": FORMAT,
            "stream": stream,
            "position": position,
            "failure": why,
            "at": self._documents.now(),
        }
        if trace := frames(failure):
            body["trace"] = trace
        reference = await self._documents.put(CHECKPOINTS, f"parked:{consumer.name}", stream, body)
        observe(PARKED, 1, consumer=consumer.declared_name)
        event(
            log, "parked", f"consumer {consumer.name} parked stream {stream} at {position}: {why}",
            started=time.perf_counter(), outcome="failure", level=logging.ERROR, error=failure,
            labels__consumer=consumer.declared_name, labels__stream=stream, labels__position=str(position),
        )  # fmt: skip
        return reference

    async def _unpark(self, consumer: str, stream: str, reference: str) -> None:
        with suppress(Conflict):  # it was parked again meanwhile
            await self._documents.delete(CHECKPOINTS, f"parked:{consumer}", stream, condition=at_version(reference))


def _down(error: BaseException) -> DependencyDown | None:
    """What of the stack's own is down, where that is why a consumer failed: it, or the cause that it named."""
    at: BaseException | None = error
    while at is not None:
        if isinstance(at, DependencyDown) and not isinstance(at, OutboundFailed):
            return at
        at = at.__cause__
    return None


def _partition(consumer: str, stream: str) -> str:
    return f"feed:{consumer}:{stream}"
