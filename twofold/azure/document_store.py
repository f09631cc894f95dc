"""DocumentStore on Cosmos DB for NoSQL: a container per collection, partition key `/p`.

Reads see every acknowledged write of everybody under the account's Strong consistency, which the stack sets: a read then
costs two request units where Session consistency, which promises only one's own writes, costs one.
"""

from collections.abc import Sequence
from typing import Any

from twofold.azure import document_codec as codec
from twofold.azure.cosmos import Cosmos, Refused, cosmos_of
from twofold.azure.document_attempt import Attempt
from twofold.errors import StoreThrottled
from twofold.portable.document_store import Check, Delete, Document, Put, Write

ATTEMPTS = 10
SCANNED = 500


def from_url(url: str, credential: Any = None) -> "CosmosDriver":
    """The driver of `cosmos://<account host>/<database>`; connects, and asks for a login, at the first use."""
    return CosmosDriver(cosmos_of(url, credential))


class CosmosDriver:
    """One write is a point operation, several are one transactional batch.

    The SDK sends a write again after a lost answer, and a write of ours then refuses itself. So a refusal is checked:
    an item that holds the value minted for this write is this write. And an etag that a `Check` moved is looked up anew.
    """

    system = "azure.cosmosdb"

    def __init__(self, cosmos: Cosmos) -> None:
        self._cosmos = cosmos

    async def get(self, collection: str, partition: str, document_id: str, *, now: int) -> Document | None:
        """See `DocumentDriver`."""
        item = await self._read(collection, partition, document_id)
        return codec.decode(item) if item is not None and codec.is_live(item, now) else None

    async def query(
        self, collection: str, partition: str, *, start: str | None, end: str | None, after: str | None,
        limit: int, descending: bool, now: int,
    ) -> tuple[Document, ...]:  # fmt: skip
        """See `DocumentDriver`."""
        where = ["c.p = @p", "(NOT IS_DEFINED(c.e) OR c.e > @now)"]
        parameters: list[dict[str, Any]] = [{"name": "@p", "value": partition}, {"name": "@now", "value": now}]
        bounds = (("@a", start, ">="), ("@b", end, "<"), ("@c", after, "<" if descending else ">"))
        for name, value, comparison in bounds:
            if value is not None:
                where.append(f"c.id {comparison} {name}")
                parameters.append({"name": name, "value": value})
        order = "DESC" if descending else "ASC"
        text = f"SELECT * FROM c WHERE {' AND '.join(where)} ORDER BY c.id {order} OFFSET 0 LIMIT {limit}"  # noqa: S608 - parameters carry the values

        async def run() -> tuple[Document, ...]:
            items = self._cosmos.container(collection).query_items(
                text, parameters=parameters, partition_key=partition, max_item_count=limit
            )
            return tuple([codec.decode(item) async for item in items])

        return await self._cosmos.call(run)

    async def scan(
        self, collection: str, *, prefix: str, document_id: str | None, cursor: str | None, now: int
    ) -> tuple[Sequence[Document], str | None]:
        """See `DocumentDriver`."""
        where = ["STARTSWITH(c.p, @p)", "(NOT IS_DEFINED(c.e) OR c.e > @now)"]
        parameters: list[dict[str, Any]] = [{"name": "@p", "value": prefix}, {"name": "@now", "value": now}]
        if document_id is not None:
            where.append("c.id = @id")
            parameters.append({"name": "@id", "value": document_id})
        text = f"SELECT * FROM c WHERE {' AND '.join(where)}"  # noqa: S608 - parameters carry the values

        async def run() -> tuple[list[Document], str | None]:
            items = self._cosmos.container(collection).query_items(text, parameters=parameters, max_item_count=SCANNED)
            pages = items.by_page(cursor)
            try:
                page = await anext(pages)
            except StopAsyncIteration:
                return [], None
            return [codec.decode(item) async for item in page], pages.continuation_token

        return await self._cosmos.call(run)

    async def commit(self, collection: str, partition: str, writes: Sequence[Write], *, now: int) -> list[str | None]:
        """See `DocumentDriver`."""
        attempt = Attempt(partition, writes, now)
        for _ in range(ATTEMPTS):
            try:
                if len(writes) == 1:
                    return [await self._write(collection, attempt)]
                return await self._batch(collection, attempt)
            except Refused as refused:
                if (versions := await self._own(collection, attempt)) is not None:
                    return versions
                index = attempt.write_of(refused.index)
                attempt.learn(index, await self._read(collection, partition, writes[index].id), refused)
        raise StoreThrottled("Cosmos DB: a document changes too fast")

    async def ping(self) -> None:
        """See `DocumentDriver`."""
        await self._read("documents", "twofold", "ping")

    async def close(self) -> None:
        """See `DocumentDriver`."""
        await self._cosmos.close()

    async def _write(self, collection: str, attempt: Attempt) -> str | None:
        container, write = self._cosmos.container(collection), attempt.writes[0]
        matching = attempt.matching(0)
        match write:
            case Check():
                attempt.learn(0, await self._read(collection, attempt.partition, write.id), None)
                return None
            case Delete():
                try:
                    await self._cosmos.call(
                        lambda: container.delete_item(write.id, partition_key=attempt.partition, **matching)
                    )
                except Refused as refused:
                    if refused.status != 404 or write.condition.kind != "any":
                        raise
                return None
            case Put():
                item = attempt.item(0)
                if matching:
                    answer = await self._cosmos.call(lambda: container.replace_item(write.id, item, **matching))
                elif write.condition.kind == "absent":
                    answer = await self._cosmos.call(lambda: container.create_item(item))
                else:
                    answer = await self._cosmos.call(lambda: container.upsert_item(item))
                return codec.version(item, answer["_etag"])

    async def _batch(self, collection: str, attempt: Attempt) -> list[str | None]:
        container = self._cosmos.container(collection)
        operations = attempt.operations()
        answers = await self._cosmos.call(
            lambda: container.execute_item_batch(operations, partition_key=attempt.partition)
        )
        return [
            codec.version(attempt.item(index), answers[attempt.first[index]]["eTag"])
            if isinstance(write, Put)
            else None
            for index, write in enumerate(attempt.writes)
        ]

    async def _own(self, collection: str, attempt: Attempt) -> list[str | None] | None:
        """The versions of this very attempt when it is stored already: its answer was lost and the SDK sent it again."""
        versions: list[str | None] = []
        for index, write in enumerate(attempt.writes):
            if not isinstance(write, Put):
                versions.append(None)
                continue
            item = await self._read(collection, attempt.partition, write.id)
            if item is None or item["v"] != attempt.minted[index]:
                return None
            versions.append(codec.version(item))
        return versions if any(versions) else None

    async def _read(self, collection: str, partition: str, document_id: str) -> codec.Item | None:
        container = self._cosmos.container(collection)
        try:
            item: codec.Item = await self._cosmos.call(
                lambda: container.read_item(document_id, partition_key=partition)
            )
            return item
        except Refused as refused:
            if refused.status != 404:
                raise
            return None
