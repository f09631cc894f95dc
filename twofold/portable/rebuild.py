"""Rebuild: a projection's read model built anew out of the event store, beside the live one, which then gives way to it.

Why no commit is missed: once every process knows of the new generation it brings each commit to both. Commits from before
are in the event store when the replay starts, and the replay reads every stream to its end. Both move the same checkpoints.
"""

import asyncio
from collections.abc import Awaitable, Callable

from twofold.errors import TwofoldError
from twofold.portable.document_store import Document
from twofold.portable.event_store import EventStore
from twofold.portable.feed import CHUNK, Consumer, Feed, Progress
from twofold.portable.read_model import DOCUMENTS, Generations, ReadModel, ReadModels

type Consume = Callable[[ReadModel], Consumer]
"""The projection's consumer that writes to this generation."""


class RebuildError(TwofoldError):
    """The rebuild can't go on as asked; the live read model is untouched."""


class Rebuild:
    """Builds one projection anew. Everything can be stopped at any point: the live read model stays until the switch."""

    def __init__(
        self, events: EventStore, models: ReadModels, projection: str, consume: Consume, progress: Progress
    ) -> None:
        self._events, self._models, self._projection = events, models, projection
        self._consume, self._progress = consume, progress

    async def run(self, *, resume: bool = False) -> int:
        """Builds, switches, deletes what is not live; returns how many streams were read.

        With `resume` it goes on with what an earlier run left, the streams included that were parked; otherwise that is
        thrown away, since the projection may be another by now. Raises RebuildError when streams were parked.
        """
        generations = await self._models.generations(self._projection, fresh=True)
        if resume and generations.building is None:
            raise RebuildError(f"there is no unfinished rebuild of {self._projection} to resume")
        if not resume:
            generations = await self._models.change(
                self._projection, generations, live=generations.live, building=generations.latest + 1
            )
        assert generations.building is not None
        await self._wait("waiting until every instance writes both")
        streams = await self._replay(self._models.generation(self._projection, generations.building), resume)
        generations = await self._models.change(self._projection, generations, live=generations.building, building=None)
        await self._wait("switched; waiting until every instance reads the new one")
        await self._delete_others(generations)
        return streams

    async def abandon(self) -> None:
        """Gives up what an earlier run left unfinished and deletes it."""
        generations = await self._models.generations(self._projection, fresh=True)
        if generations.building is None:
            raise RebuildError(f"there is no unfinished rebuild of {self._projection} to abandon")
        generations = await self._models.change(self._projection, generations, live=generations.live, building=None)
        await self._wait("waiting until no instance writes it")
        await self._delete_others(generations)

    async def _replay(self, model: ReadModel, resume: bool) -> int:
        consumer = self._consume(model)
        feed = Feed(self._events, [consumer])
        if resume:
            for parked in await feed.parked(consumer.name):
                await feed.redrive(consumer.name, parked.stream)
        streams = await feed.catch_up(self._progress)
        if parked_now := await feed.parked(consumer.name):
            first = parked_now[0]
            raise RebuildError(
                f"{len(parked_now)} of {streams} streams could not be replayed, {first.stream} first, at event "
                f"{first.position}: {first.failure}; the live read model is untouched. Mend the projection, then: "
                f"twofold rebuild {self._projection} --resume (or --abandon)"
            )
        return streams

    async def _wait(self, why: str) -> None:
        self._progress(why, 0, None)
        await asyncio.sleep(self._models.cached_seconds * 1.2)

    async def _delete_others(self, generations: Generations) -> None:
        """Deletes every generation but the live one, with its checkpoints; also what an interrupted run left."""
        documents, count = self._models.documents, 0
        gate = asyncio.Semaphore(16)

        async def delete(document: Document) -> None:
            async with gate:
                await documents.delete(DOCUMENTS, document.partition, document.id)

        for kind in ("model", "feed", "parked"):
            prefix = f"{kind}:{self._projection}@"
            batch: list[Awaitable[None]] = []
            async for document in documents.scan(DOCUMENTS, prefix=prefix):
                if document.partition.removeprefix(prefix).partition(":")[0] == str(generations.live):
                    continue
                batch.append(delete(document))
                if len(batch) == CHUNK:
                    await asyncio.gather(*batch)
                    count, batch = count + CHUNK, []
                    self._progress("deleting the old one", count, None)
            await asyncio.gather(*batch)
