"""ReadModel: the documents that a projection writes, in generations, so that it can be built anew beside the live one.

Stored in `documents`: partition `model:<projection>`, id `generations`,
`{"format": 1, "live": <generation>, "building": <generation or null>, "latest": <generation>}`, absent while generation 0
is live and nothing is being built; and the read model itself, under partitions
`model:<projection>@<generation>:<the projection's own>`.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from twofold.errors import EventFormatError
from twofold.portable.document_store import (
    ABSENT,
    ANY,
    Body,
    Clock,
    Condition,
    Document,
    DocumentStore,
    Page,
    Write,
    at_version,
)

DOCUMENTS = "documents"
FORMAT = 1
CACHED_SECONDS = 5.0
"""How long a process may go on with the generations that it has read."""


@dataclass(frozen=True, slots=True)
class Generations:
    """Which generation is read, which is being built beside it, and the latest that ever was begun."""

    live: int = 0
    building: int | None = None
    latest: int = 0
    version: str | None = None

    @property
    def written(self) -> tuple[int, ...]:
        """Those that every commit must reach."""
        return (self.live,) if self.building is None else (self.live, self.building)


class ReadModel:
    """One generation of a projection's documents: a DocumentStore's methods, on partitions of its own."""

    def __init__(self, documents: DocumentStore, projection: str, generation: int) -> None:
        self._documents = documents
        self.name = f"{projection}@{generation}"

    async def get(self, partition: str, document_id: str) -> Document | None:
        """See `DocumentStore.get`."""
        return await self._documents.get(DOCUMENTS, self._key(partition), document_id)

    async def query(
        self, partition: str, *, limit: int = 100, descending: bool = False, cursor: str | None = None
    ) -> Page:
        """See `DocumentStore.query`. A cursor stays good when the live generation changes."""
        key = self._key(partition)
        return await self._documents.query(DOCUMENTS, key, limit=limit, descending=descending, cursor=cursor)

    def query_all(self, partition: str, *, start: str | None = None, end: str | None = None) -> AsyncIterator[Document]:
        """See `DocumentStore.query_all`."""
        return self._documents.query_all(DOCUMENTS, self._key(partition), start=start, end=end)

    async def put(self, partition: str, document_id: str, body: Body, *, condition: Condition = ANY) -> str:
        """See `DocumentStore.put`."""
        return await self._documents.put(DOCUMENTS, self._key(partition), document_id, body, condition=condition)

    async def delete(self, partition: str, document_id: str) -> None:
        """See `DocumentStore.delete`."""
        await self._documents.delete(DOCUMENTS, self._key(partition), document_id)

    async def commit(self, partition: str, writes: Sequence[Write]) -> list[str | None]:
        """See `DocumentStore.commit`."""
        return await self._documents.commit(DOCUMENTS, self._key(partition), writes)

    def _key(self, partition: str) -> str:
        return f"model:{self.name}:{partition}"


class ReadModels:
    """The read models of a service, by projection. Which generation is live is read once in five seconds at most."""

    def __init__(self, documents: DocumentStore, *, cached_seconds: float = CACHED_SECONDS) -> None:
        self.documents = documents
        self.cached_seconds = cached_seconds
        self._clock: Clock = documents.clock  # not the monotonic one, which stands still while Lambda is frozen
        self._cached: dict[str, tuple[float, Generations]] = {}

    async def live(self, projection: str) -> ReadModel:
        """The generation to read from."""
        return self.generation(projection, (await self.generations(projection)).live)

    def generation(self, projection: str, generation: int) -> ReadModel:
        """One generation, whatever it is good for."""
        return ReadModel(self.documents, projection, generation)

    async def generations(self, projection: str, *, fresh: bool = False) -> Generations:
        """What is live and being built, as it was five seconds ago at most; with `fresh`, as it is."""
        now = self._clock()
        if not fresh and projection in self._cached:
            read_at, cached = self._cached[projection]
            if read_at <= now < read_at + self.cached_seconds:
                return cached
        document = await self.documents.get(DOCUMENTS, f"model:{projection}", "generations")
        known = Generations()
        if document is not None:
            if document.body["format"] != FORMAT:
                raise EventFormatError(f"the generations of {projection!r} have format {document.body['format']!r}")
            body = document.body
            known = Generations(body["live"], body["building"], body["latest"], document.version)
        self._cached[projection] = (now, known)
        return known

    async def change(self, projection: str, before: Generations, *, live: int, building: int | None) -> Generations:
        """Says what is live and being built from now on; raises `Conflict` when somebody else did meanwhile."""
        condition = at_version(before.version) if before.version else ABSENT
        latest = max(before.latest, building or 0)  # a number never comes again
        body = {"format": FORMAT, "live": live, "building": building, "latest": latest}
        version = await self.documents.put(DOCUMENTS, f"model:{projection}", "generations", body, condition=condition)
        self._cached.pop(projection, None)
        return Generations(live, building, latest, version)
