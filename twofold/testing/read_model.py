"""The promises of scans, read models and their rebuild as tests.

class TestMine(ReadModelConformance):
    async def open_driver(self): return MyDriver(...)
"""

import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from twofold.errors import Conflict
from twofold.portable.document_store import ABSENT, DocumentDriver, DocumentStore, at_version
from twofold.portable.event_store import Commit, Event, EventStore
from twofold.portable.feed import Consumer, Feed
from twofold.portable.read_model import ReadModel, ReadModels
from twofold.portable.rebuild import Rebuild, RebuildError
from twofold.testing.clock import Clock

CACHED_SECONDS = 0.05


class ReadModelConformance:
    """Subclass it and define `open_driver`. Names are random, so a shared backend needs no cleaning."""

    async def open_driver(self) -> DocumentDriver:
        """A driver on an empty or shared backend that has the collections `documents` and `events`."""
        raise TypeError("define open_driver in the subclass")

    @pytest_asyncio.fixture
    async def documents(self) -> AsyncIterator[DocumentStore]:
        documents = DocumentStore(await self.open_driver())
        yield documents
        await documents.close()

    @pytest.fixture
    def service(self, documents: DocumentStore) -> "Service":
        return Service(documents)

    async def test_scan(self, documents: DocumentStore) -> None:
        """A scan finds every document of a prefix, over all pages and partitions, and nothing else."""
        run = uuid.uuid4().hex
        wanted = {(f"scan-{run}:{n % 7}", f"id-{n}") for n in range(1203)}
        gate = asyncio.Semaphore(32)

        async def put(partition: str, document_id: str) -> None:
            async with gate:
                await documents.put("documents", partition, document_id, {"text": "x" * 300})

        async with asyncio.TaskGroup() as group:
            for partition, document_id in wanted | {(f"scam-{run}:0", "id-1")}:
                group.create_task(put(partition, document_id))
        scanned = [(one.partition, one.id) async for one in documents.scan("documents", prefix=f"scan-{run}:")]
        assert set(scanned) == wanted
        assert len(scanned) == len(wanted), "nothing was written meanwhile, so nothing comes twice"
        one_id = {one.partition async for one in documents.scan("documents", prefix=f"scan-{run}:", document_id="id-8")}
        assert one_id == {f"scan-{run}:1"}

    async def test_scan_skips_the_expired(self, documents: DocumentStore) -> None:
        """A scan leaves out what has expired."""
        prefix = f"scan-{uuid.uuid4().hex}"
        documents.clock = clock = Clock(documents.now())
        await documents.put("documents", f"{prefix}:a", "kept", {}, expires_at=documents.now() + 1000)
        await documents.put("documents", f"{prefix}:b", "gone", {}, expires_at=documents.now() + 100)
        clock.advance(100)
        assert [one.id async for one in documents.scan("documents", prefix=prefix)] == ["kept"]

    async def test_rebuild(self, service: "Service") -> None:
        """A rebuild replays all streams, goes live, and deletes the generation before."""
        await service.fill(streams=9, commits=2)
        before = await service.rows()
        assert before == {stream: {"events": 4} for stream in service.streams}
        await service.feed([])  # the generations are cached from here
        service.unit = 100  # the projection is another one now
        assert await service.rebuild().run() >= 9
        assert await service.rows() == {stream: {"events": 400} for stream in service.streams}
        assert await service.generations() == (1, None)
        left = [
            one.partition async for one in service.documents.scan("documents", prefix=f"model:{service.projection}@0:")
        ]
        assert left == []

    async def test_commits_during_a_rebuild(self, service: "Service") -> None:
        """Commits during a rebuild, of new streams too, are in the new generation."""
        await service.fill(streams=6, commits=1)
        writing = asyncio.create_task(service.keep_appending())
        try:
            while len(service.streams) < 9:  # as often as it takes for some to be begun meanwhile, and others to go on
                await service.rebuild().run()
        finally:
            service.stop = True
            await writing
        assert await service.rows() == {stream: {"events": service.length[stream]} for stream in service.streams}
        assert max(service.length.values()) > 2, "streams went on meanwhile"

    async def test_poison_and_resume(self, service: "Service") -> None:
        """A commit that can't be replayed leaves the old generation live, until the rebuild is resumed."""
        await service.fill(streams=3, commits=1)
        before = await service.rows()
        service.poison = service.streams[1]
        with pytest.raises(RebuildError, match=r"1 of \d+ streams could not be replayed"):
            await service.rebuild().run()
        assert await service.generations() == (0, 1)
        assert await service.rows() == before
        service.poison = ""
        await service.rebuild().run(resume=True)
        assert await service.generations() == (1, None)
        assert await service.rows() == before

    async def test_abandon(self, service: "Service") -> None:
        """An abandoned rebuild leaves nothing behind, and its number is not used again."""
        await service.fill(streams=2, commits=1)
        before = await service.rows()
        service.poison = service.streams[0]
        with pytest.raises(RebuildError):
            await service.rebuild().run()
        service.poison = ""
        await service.rebuild().abandon()
        assert await service.rows() == before
        for kind in ("model", "feed", "parked"):
            prefix = f"{kind}:{service.projection}@1"
            assert [one async for one in service.documents.scan("documents", prefix=prefix)] == []
        await service.rebuild().run()
        assert await service.generations() == (2, None)

    async def test_nothing_to_resume(self, service: "Service") -> None:
        """To resume or abandon without an unfinished rebuild is an error."""
        with pytest.raises(RebuildError, match="no unfinished rebuild"):
            await service.rebuild().run(resume=True)
        with pytest.raises(RebuildError, match="no unfinished rebuild"):
            await service.rebuild().abandon()

    async def test_concurrent_operators(self, service: "Service") -> None:
        """Of two changes to the generations one is a Conflict."""
        models = service.models
        seen = await models.generations(service.projection, fresh=True)
        await models.change(service.projection, seen, live=0, building=1)
        with pytest.raises(Conflict):
            await models.change(service.projection, seen, live=0, building=1)


class Service:
    """A service with one projection, the number of events by stream, and a feed that knows what was appended."""

    def __init__(self, documents: DocumentStore) -> None:
        self.documents, self.events = documents, EventStore(documents)
        self.models = ReadModels(documents, cached_seconds=CACHED_SECONDS)
        self.run = uuid.uuid4().hex
        self.projection = f"count-{self.run}"
        self.streams: list[str] = []
        self.length: dict[str, int] = {}
        self.unit, self.poison, self.stop = 1, "", False

    async def project(self, model: ReadModel, commit: Commit) -> None:
        if commit.stream == self.poison:
            raise ValueError("poison")
        if commit.stream not in self.length:  # a shared backend has streams of others
            return
        # The replay and the feed may bring one stream's commits at once: who comes late must not write what is older.
        before, events = await model.get("all", commit.stream), commit.end * self.unit
        while before is None or before.body["events"] < events:
            condition = at_version(before.version) if before else ABSENT
            try:
                await model.put("all", commit.stream, {"events": events}, condition=condition)
                return
            except Conflict:
                before = await model.get("all", commit.stream)

    def consume(self, model: ReadModel) -> Consumer:
        async def handle(commit: Commit) -> None:
            await self.project(model, commit)

        return Consumer(model.name, handle, 1)

    async def feed(self, streams: list[str]) -> None:
        generations = (await self.models.generations(self.projection)).written
        consumers = [self.consume(self.models.generation(self.projection, number)) for number in generations]
        await Feed(self.events, consumers).process_streams(streams)

    async def append(self, stream: str) -> None:
        position = (await self.events.read(stream)).position
        self.length[stream] = position.number + 2
        await self.events.append(stream, position, [Event("One", {}), Event("Other", {})])
        if stream not in self.streams:
            self.streams.append(stream)
        await self.feed([stream])

    async def fill(self, *, streams: int, commits: int) -> None:
        for stream in [f"s-{self.run}-{n}" for n in range(streams)] * commits:
            await self.append(stream)

    async def keep_appending(self) -> None:
        count = 0
        while not self.stop:
            count += 1
            await self.append(self.streams[count % 6] if count % 2 else f"s-{self.run}-late-{count}")

    def rebuild(self) -> Rebuild:
        def progress(what: str, done: int, total: int | None) -> None:
            assert what and (total is None or done <= total)

        # Another process than the feed's: it has its own cache of the generations.
        models = ReadModels(self.documents, cached_seconds=CACHED_SECONDS)
        return Rebuild(self.events, models, self.projection, self.consume, progress)

    async def rows(self) -> dict[str, dict[str, int]]:
        model = await ReadModels(self.documents).live(self.projection)
        return {one.id: one.body async for one in model.query_all("all")}

    async def generations(self) -> tuple[int, int | None]:
        generations = await self.models.generations(self.projection, fresh=True)
        return generations.live, generations.building
