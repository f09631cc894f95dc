"""EventStore: append-only streams of events with optimistic concurrency, on any DocumentStore.

One append is one document, the *commit*: collection `events`, partition the stream, id the zero-padded number of its
first event. Creating it under ABSENT is the whole concurrency check: the cheapest conditional write of each cloud.
Stored form, format 1: `{"format": 1, "at": <epoch seconds>, "events": [{"type", "schema", "data"}, …]}`, and `traceparent` (W3C)
where it was appended for a request, a message or the like: the feed continues that trace.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from twofold.errors import EventFormatError, PositionError, ProfileError
from twofold.portable import telemetry
from twofold.portable.document_store import ABSENT, Document, DocumentStore

EVENTS = "events"
SNAPSHOTS = "documents"
FORMAT = 1
_DIGITS = 12
_START_KEY = object()  # only this module makes positions


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. `schema` is the version of `data`'s shape, raised when the service changes it."""

    type: str
    data: dict[str, Any]
    schema: int = 1


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """An event as stored: the `number`th of its stream, counted from 0; `at` is in seconds since the epoch."""

    stream: str
    number: int
    type: str
    data: dict[str, Any]
    schema: int
    at: float


class Position:
    """Where a stream ended when it was read: always a commit boundary. Only `read`, `append` and `start` make one."""

    __slots__ = ("number", "stream")

    def __init__(self, stream: str, number: int, *, _key: object = None) -> None:
        if _key is not _START_KEY:
            raise PositionError("a position is a value that read, append or start returned")
        self.stream, self.number = stream, number

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Position) and (self.stream, self.number) == (other.stream, other.number)

    def __hash__(self) -> int:
        return hash((self.stream, self.number))

    def __repr__(self) -> str:
        return f"Position({self.stream!r}, {self.number})"


@dataclass(frozen=True, slots=True)
class Commit:
    """What one append wrote: events `first` to `end - 1` of the stream, in order. What the feed delivers."""

    stream: str
    first: int
    events: tuple[RecordedEvent, ...]
    traceparent: str | None = None

    @property
    def end(self) -> int:
        """The stream's length after this commit."""
        return self.first + len(self.events)


@dataclass(frozen=True, slots=True)
class Stream:
    """What `read` returns: the events asked for, and the position to append at."""

    events: tuple[RecordedEvent, ...]
    position: Position


type Upcaster = Callable[[dict[str, Any]], dict[str, Any]]
type Upcasters = Mapping[tuple[str, int], Upcaster]
"""`(type, schema) -> function`: lifts `data` from that schema to the next one; applied until none is found."""


class EventStore:
    """Streams of events.

    - `append` is atomic, and of concurrent appends at one position exactly one succeeds; the others raise `Conflict`.
    - `read` sees every acknowledged append, whole and in order, without gaps.
    - Old events are lifted through `upcasters` as they are read; what is stored never changes.
    """

    def __init__(self, documents: DocumentStore, *, upcasters: Upcasters | None = None) -> None:
        self.documents = documents
        self._upcasters: Upcasters = upcasters or {}

    def start(self, stream: str) -> Position:
        """The position of a stream that has no events yet."""
        return Position(stream, 0, _key=_START_KEY)

    async def append(self, stream: str, position: Position, events: Sequence[Event]) -> Position:
        """Appends events as one commit and returns the new position; raises `Conflict` when the stream has moved on.

        A position of another stream, or one that was not read, raises `PositionError`: so there are never gaps.
        """
        if not isinstance(position, Position) or position.stream != stream:
            raise PositionError(f"{position!r} was not read from stream {stream!r}")
        if not events:
            raise ProfileError("an append needs at least one event")
        body: dict[str, Any] = {
            "format": FORMAT,
            "at": round(self.documents.clock(), 3),
            "events": [{"type": event.type, "schema": event.schema, "data": event.data} for event in events],
        }
        if (traceparent := telemetry.traceparent()) is not None:
            body["traceparent"] = traceparent
        await self.documents.put(EVENTS, stream, commit_id(position.number), body, condition=ABSENT)
        return Position(stream, position.number + len(events), _key=_START_KEY)

    async def read(self, stream: str, *, after: Position | None = None) -> Stream:
        """The stream's events, all or those after a position, and the position where it ends now."""
        if after is not None and after.stream != stream:
            raise PositionError(f"{after!r} was not read from stream {stream!r}")
        events: list[RecordedEvent] = []
        end = first = after.number if after else 0
        async for commit in self.commits(stream, after=first):
            events.extend(commit.events)
            end = commit.end
        return Stream(tuple(events), Position(stream, end, _key=_START_KEY))

    async def commits(self, stream: str, *, after: int = 0) -> AsyncIterator[Commit]:
        """The stream's commits from event number `after` on, in order."""
        async for document in self.documents.query_all(EVENTS, stream, start=commit_id(after)):
            yield self.decode(document)

    async def streams(self) -> AsyncIterator[str]:
        """The names of all streams, in no order; one begun meanwhile may be missing. `DocumentStore.scan` says what it costs."""
        async for document in self.documents.scan(EVENTS, document_id=commit_id(0)):
            yield document.partition

    def decode(self, document: Document) -> Commit:
        """A commit document as a Commit, its events upcast; raises `EventFormatError` for a format it doesn't know."""
        body = document.body
        if body.get("format") != FORMAT:
            raise EventFormatError(
                f"commit {document.id} of stream {document.partition!r} has format {body.get('format')!r}; "
                f"this version reads format {FORMAT}"
            )
        first = int(document.id)
        return Commit(
            document.partition,
            first,
            tuple(
                self._upcast(document.partition, first + index, stored, float(body["at"]))
                for index, stored in enumerate(body["events"])
            ),
            body.get("traceparent"),
        )

    def _upcast(self, stream: str, number: int, stored: dict[str, Any], at: float) -> RecordedEvent:
        kind, schema, data = stored["type"], int(stored["schema"]), stored["data"]
        while (upcaster := self._upcasters.get((kind, schema))) is not None:
            data, schema = upcaster(dict(data)), schema + 1
        return RecordedEvent(stream, number, kind, data, schema, at)

    async def save_snapshot(self, stream: str, position: Position, state: dict[str, Any], *, schema: int = 1) -> None:
        """Keeps a folded state of the stream at a position. A snapshot is a cache: losing it costs only time."""
        body = {"format": FORMAT, "schema": schema, "position": position.number, "state": state}
        await self.documents.put(SNAPSHOTS, f"snapshot:{stream}", "latest", body)

    async def load_snapshot(self, stream: str, *, schema: int = 1) -> tuple[Position, dict[str, Any]] | None:
        """The last snapshot and its position; None when there is none of this schema."""
        document = await self.documents.get(SNAPSHOTS, f"snapshot:{stream}", "latest")
        if document is None or (document.body.get("format"), document.body.get("schema")) != (FORMAT, schema):
            return None
        return Position(stream, document.body["position"], _key=_START_KEY), document.body["state"]


def commit_id(number: int) -> str:
    """The id of the commit whose first event has this number; ids sort as their numbers."""
    return f"{number:0{_DIGITS}d}"
