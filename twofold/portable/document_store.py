"""DocumentStore: JSON documents with optimistic concurrency, the same on DynamoDB, Cosmos DB and SQLite."""

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from twofold.errors import ProfileError, StoreThrottled, UnknownCollection
from twofold.portable import profile, telemetry
from twofold.portable.logs import event
from twofold.portable.metrics import THROTTLES, observe
from twofold.portable.writes import ABSENT, ANY, Body, Check, Condition, Delete, Put, Write, at_version, check_writes

__all__ = [
    "ABSENT",
    "ANY",
    "Body",
    "Check",
    "Clock",
    "Condition",
    "Delete",
    "Document",
    "DocumentDriver",
    "DocumentStore",
    "Page",
    "Put",
    "Write",
    "at_version",
    "prefix_end",
    "retry_throttled",
]  # fmt: skip

log = logging.getLogger("twofold.store")
THROTTLED_SECONDS = 2.0
"""How long a write is tried again while the store throttles."""

type Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Document:
    """A stored document. `version` is opaque and never recurs; `expires_at` is in whole seconds since the epoch."""

    partition: str
    id: str
    body: Body
    version: str
    expires_at: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a query's answer. `cursor` is None at the end; else hand it back for the next page."""

    documents: tuple[Document, ...]
    cursor: str | None


class DocumentDriver(Protocol):
    """What a backend implements. Arguments were checked against the portable profile before.

    `now` is the caller's clock in whole seconds: a document whose `expires_at <= now` is absent for every method, also
    where the backend still has it. Drivers retry nothing themselves beyond what makes a write's outcome certain.
    Raises `Conflict`, `StoreRefused`, `StoreThrottled` or `StoreUnavailable`.
    """

    system: str
    """What it is in traces: OpenTelemetry's `db.system.name`."""

    async def get(self, collection: str, partition: str, document_id: str, *, now: int) -> Document | None:
        """The document, reading every acknowledged write."""
        ...

    async def query(
        self, collection: str, partition: str, *, start: str | None, end: str | None, after: str | None,
        limit: int, descending: bool, now: int,
    ) -> tuple[Document, ...]:  # fmt: skip
        """Up to `limit` documents with `start <= id < end`, ordered by the ids' UTF-8 bytes, beyond `after` in that order.

        Fewer than `limit` means that there are no more.
        """
        ...

    async def scan(
        self, collection: str, *, prefix: str, document_id: str | None, cursor: str | None, now: int
    ) -> tuple[Sequence[Document], str | None]:
        """Some of the documents whose partitions have this prefix, all or those of one id, in no order, and where to go on.

        `cursor` is None at first and is returned as None at the end; a page may be empty before it.
        """
        ...

    async def commit(self, collection: str, partition: str, writes: Sequence[Write], *, now: int) -> list[str | None]:
        """All writes or none. Returns the new version of each Put, None for the others, in the writes' order."""
        ...

    async def ping(self) -> None:
        """One cheap round trip to the backend; raises `StoreUnavailable` (or `StoreThrottled`) when it can't be reached."""
        ...

    async def close(self) -> None:
        """Releases connections. The driver is not used afterwards."""
        ...


class DocumentStore:
    """Documents `(partition, id)` in named collections.

    - `get` and `query` see every acknowledged write, one's own and everybody's.
    - `commit` is atomic within one partition and refuses as a whole with `Conflict` when any condition fails.
    - An expired document is absent for reads and for conditions, at the second it expires.
    - Values outside the portable profile, and collections other than `collections`, raise `ProfileError` before the backend
      is called; None stands for whatever the backend has.
    - Throttled reads and writes are retried with backoff and jitter for about two seconds; then `StoreThrottled`.
    """

    def __init__(
        self, driver: DocumentDriver, collections: Collection[str] | None = None, *, clock: Clock = time.time
    ) -> None:
        self.driver, self._collections = driver, collections
        self.clock = clock
        self._system: str = driver.system

    def now(self) -> int:
        """The store's clock, in whole seconds since the epoch."""
        return int(self.clock())

    async def get(self, collection: str, partition: str, document_id: str) -> Document | None:
        """The document, or None when it is absent or has expired."""
        self._check_address(collection, partition)
        profile.check_id(document_id)
        with self._span("get", collection):
            return await retry_throttled(lambda: self.driver.get(collection, partition, document_id, now=self.now()))

    async def query(
        self,
        collection: str,
        partition: str,
        *,
        prefix: str | None = None,
        start: str | None = None,
        end: str | None = None,
        limit: int = 100,
        descending: bool = False,
        cursor: str | None = None,
    ) -> Page:
        """A page of one partition's documents with `start <= id < end` (or ids with `prefix`), in the ids' byte order.

        Pages are stable while others write: no document that was there throughout is missed or comes twice.
        `limit` is 1 to 1,000. A cursor that no page returned raises ProfileError.
        """
        self._check_address(collection, partition)
        if not 1 <= limit <= 1000:
            raise ProfileError(f"limit is {limit}; it must be 1 to 1,000")
        if prefix is not None:
            if start is not None or end is not None:
                raise ProfileError("give either prefix or start and end")
            start, end = prefix, prefix_end(prefix)
        after = None
        if cursor is not None:
            after = cursor
            profile.check_id(after)
        with self._span("query", collection):
            documents = await retry_throttled(
                lambda: self.driver.query(
                    collection, partition, start=start, end=end, after=after,
                    limit=limit, descending=descending, now=self.now(),
                )
            )  # fmt: skip
        return Page(documents, documents[-1].id if len(documents) == limit else None)

    async def query_all(
        self,
        collection: str,
        partition: str,
        *,
        prefix: str | None = None,
        start: str | None = None,
        end: str | None = None,
        descending: bool = False,
    ) -> AsyncIterator[Document]:
        """Every document of the range, a page at a time."""
        cursor: str | None = None
        while True:
            page = await self.query(
                collection, partition, prefix=prefix, start=start, end=end, descending=descending, cursor=cursor
            )
            for document in page.documents:
                yield document
            if (cursor := page.cursor) is None:
                return

    async def scan(
        self, collection: str, *, prefix: str = "", document_id: str | None = None
    ) -> AsyncIterator[Document]:
        """Every document of the partitions with this prefix, all or those of one id, in no order.

        What was there throughout comes, at least once; what is written meanwhile may. For operators' work, never for a
        request: DynamoDB reads its whole table, and is paid for it.
        """
        self._check_collection(collection)
        cursor: str | None = None
        while True:
            at = cursor
            documents, cursor = await retry_throttled(
                lambda: self.driver.scan(collection, prefix=prefix, document_id=document_id, cursor=at, now=self.now())  # noqa: B023 - awaited here
            )
            for document in documents:
                yield document
            if cursor is None:
                return

    async def put(
        self,
        collection: str,
        partition: str,
        document_id: str,
        body: Body,
        *,
        condition: Condition = ANY,
        expires_at: int | None = None,
    ) -> str:
        """Writes one document and returns its new version; raises `Conflict` when the condition does not hold."""
        versions = await self.commit(collection, partition, [Put(document_id, body, condition, expires_at)])
        assert versions[0] is not None  # a Put always has a version
        return versions[0]

    async def delete(self, collection: str, partition: str, document_id: str, *, condition: Condition = ANY) -> None:
        """Deletes one document; under ANY a missing one is no error."""
        await self.commit(collection, partition, [Delete(document_id, condition)])

    async def commit(self, collection: str, partition: str, writes: Sequence[Write]) -> list[str | None]:
        """Makes all writes or none. Returns the new version of each Put (None for Delete and Check), in order.

        1 to 100 distinct ids, 1 MB in all; `Check(ABSENT)` and, among several writes, `Delete(ANY)` count double,
        because a Cosmos DB batch needs two operations for each.
        """
        self._check_address(collection, partition)
        check_writes(writes)
        with self._span("commit", collection):
            return await retry_throttled(lambda: self.driver.commit(collection, partition, writes, now=self.now()))

    def _span(self, operation: str, collection: str) -> AbstractContextManager[object]:
        attributes = {
            "db.system.name": self._system,
            "db.operation.name": operation,
            "db.collection.name": collection,
        }
        return telemetry.span(f"{operation} {collection}", telemetry.CLIENT, attributes)

    def _check_address(self, collection: str, partition: str) -> None:
        self._check_collection(collection)
        profile.check_partition(partition)

    def _check_collection(self, collection: str) -> None:
        profile.check_collection(collection)
        if self._collections is not None and collection not in self._collections:
            raise UnknownCollection(
                f"there is no collection {collection!r}; the manifest's collections and blocks have "
                f"{', '.join(self._collections) or 'none'}"
            )

    async def ping(self) -> None:
        """One cheap round trip; raises `StoreError` when the backend can't be reached."""
        await self.driver.ping()

    async def close(self) -> None:
        """Releases the driver's connections."""
        await self.driver.close()


def prefix_end(prefix: str) -> str | None:
    """The smallest string above every string with this prefix (in code point order), or None when there is none."""
    for cut in range(len(prefix), 0, -1):
        code = ord(prefix[cut - 1])
        if code < 0x10FFFF:
            following = code + 1
            return prefix[: cut - 1] + chr(0xE000 if 0xD800 <= following <= 0xDFFF else following)
    return None


async def retry_throttled[T](call: Callable[[], Awaitable[T]]) -> T:
    """Runs `call` again with full-jitter backoff while the store throttles, for about `THROTTLED_SECONDS` in all."""
    deadline = time.monotonic() + THROTTLED_SECONDS
    delay = 0.05
    while True:
        try:
            return await call()
        except StoreThrottled as exc:
            observe(THROTTLES, 1)
            event(
                log, "store-throttled", "the store throttles", started=time.perf_counter(), outcome="failure",
                level=logging.WARNING,
            )  # fmt: skip
            pause = max(exc.retry_after or 0.0, random.uniform(0, delay))  # noqa: S311 - jitter, not a secret
            if time.monotonic() + pause > deadline:
                raise
            await asyncio.sleep(pause)
            delay = min(delay * 2, 1.0)
