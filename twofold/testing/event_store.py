"""The EventStore's promises as tests, over any DocumentDriver with the collections `events` and `documents`."""

import asyncio
import random
import uuid
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from twofold.errors import Conflict, EventFormatError, PositionError, ProfileError
from twofold.portable.document_store import DocumentDriver, DocumentStore
from twofold.portable.event_store import Event, EventStore, Position


def _e(n: int) -> Event:
    return Event("Counted", {"n": n})


class EventStoreConformance:
    """Subclass it and define `open_driver`."""

    commands = 1000
    """How many concurrent commands the lost-update test runs, on ten streams."""

    async def open_driver(self) -> DocumentDriver:
        """A driver whose backend has the collections `events` and `documents`."""
        raise TypeError("define open_driver in the subclass")

    @pytest_asyncio.fixture
    async def events(self) -> AsyncIterator[EventStore]:
        store = DocumentStore(await self.open_driver())
        yield EventStore(store, upcasters={("Old", 1): lambda data: {"name": data["n"]}})
        await store.close()

    @pytest.fixture
    def s(self) -> str:
        return f"s-{uuid.uuid4().hex}"

    async def test_append_then_read(self, events: EventStore, s: str) -> None:
        """Events are read in order, whole or after a position; a commit is what one append wrote."""
        position = await events.append(s, events.start(s), [_e(0), _e(1)])
        position = await events.append(s, position, [_e(2)])
        stream = await events.read(s)
        assert [(e.number, e.data["n"], e.type) for e in stream.events] == [(n, n, "Counted") for n in range(3)]
        assert stream.position == position and position.number == 3
        tail = await events.read(s, after=position)
        assert (tail.events, tail.position) == ((), position)
        commits = [(c.first, c.end) async for c in events.commits(s)]
        assert commits == [(0, 2), (2, 3)]

    async def test_empty_stream(self, events: EventStore, s: str) -> None:
        """A stream without events is read as empty, at its start."""
        stream = await events.read(s)
        assert (stream.events, stream.position) == ((), events.start(s))

    async def test_stale_position(self, events: EventStore, s: str) -> None:
        """An append at an older position is a Conflict and writes nothing."""
        await events.append(s, events.start(s), [_e(0), _e(1)])
        with pytest.raises(Conflict):
            await events.append(s, events.start(s), [_e(2)])
        assert len((await events.read(s)).events) == 2

    async def test_concurrent_appends(self, events: EventStore, s: str) -> None:
        """Of concurrent appends at one position one succeeds, the others are Conflicts."""
        position = await events.append(s, events.start(s), [_e(0)])
        outcomes = await asyncio.gather(
            *(events.append(s, position, [_e(n)] * (1 + n % 3)) for n in range(20)), return_exceptions=True
        )
        assert sum(isinstance(outcome, Position) for outcome in outcomes) == 1
        assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 19
        numbers = [event.number for event in (await events.read(s)).events]
        assert numbers == list(range(len(numbers)))

    async def test_foreign_positions(self, events: EventStore, s: str) -> None:
        """A position that this stream did not give, a number, or an append of nothing is refused."""
        await events.append(s, events.start(s), [_e(0), _e(1), _e(2)])
        for number in (1, 5):
            with pytest.raises(PositionError):
                Position(s, number)
            with pytest.raises(PositionError):
                await events.append(s, number, [_e(9)])  # type: ignore[arg-type]
        with pytest.raises(PositionError):
            await events.append(s, events.start(s + "x"), [_e(9)])
        with pytest.raises(PositionError):
            await events.read(s, after=events.start(s + "x"))
        with pytest.raises(ProfileError):
            await events.append(s, (await events.read(s)).position, [])
        assert len((await events.read(s)).events) == 3

    async def test_streams_are_apart(self, events: EventStore, s: str) -> None:
        """One stream's events are in no other."""
        await events.append(s, events.start(s), [_e(0)])
        assert (await events.read(s + "x")).events == ()

    async def test_upcasters(self, events: EventStore, s: str) -> None:
        """An event of an older schema is read in its newest."""
        await events.append(s, events.start(s), [Event("Old", {"n": 1}), Event("Old", {"name": 2}, schema=2)])
        assert [(e.data, e.schema) for e in (await events.read(s)).events] == [({"name": 1}, 2), ({"name": 2}, 2)]

    async def test_unknown_format(self, events: EventStore, s: str) -> None:
        """A commit of a format that this release does not know is an EventFormatError."""
        await events.documents.put("events", s, "000000000000", {"format": 99})
        with pytest.raises(EventFormatError, match="99"):
            await events.read(s)

    async def test_snapshots(self, events: EventStore, s: str) -> None:
        """A snapshot has its position, and is read under its schema alone."""
        assert await events.load_snapshot(s) is None
        position = await events.append(s, events.start(s), [_e(0)])
        await events.save_snapshot(s, position, {"n": 0})
        assert await events.load_snapshot(s) == (position, {"n": 0})
        assert await events.load_snapshot(s, schema=2) is None
        position = await events.append(s, position, [_e(1)])
        assert (await events.read(s, after=position)).events == ()

    async def test_no_command_is_lost(self, events: EventStore) -> None:
        """A thousand concurrent commands append a thousand events, numbered without a gap."""
        streams = [f"s-{uuid.uuid4().hex}" for _ in range(10)]
        gate = asyncio.Semaphore(40)

        async def command(stream: str, n: int) -> None:
            async with gate:
                known = await events.read(stream)
                for _ in range(500):
                    try:
                        await events.append(stream, known.position, [_e(n)])
                        return
                    except Conflict:
                        await asyncio.sleep(random.uniform(0, 0.02))
                        known = await events.read(stream, after=known.position)
                raise AssertionError("a command lost 500 races")

        await asyncio.gather(*(command(streams[n % 10], n) for n in range(self.commands)))
        seen = []
        for stream in streams:
            numbers = [event.number for event in (await events.read(stream)).events]
            assert numbers == list(range(len(numbers)))
            seen += [event.data["n"] for event in (await events.read(stream)).events]
        assert sorted(seen) == list(range(self.commands))
