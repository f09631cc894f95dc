"""One commit on its way to Cosmos DB: its operations, and what refusals have taught about the documents it meets.

How a write becomes operations of a batch, which has neither a check nor a delete of what may be missing:

    Put ANY         upsert                      Delete at_version  delete, If-Match
    Put ABSENT      create                      Delete ANY      upsert of a placeholder, then delete
    Put at_version     replace, If-Match           Check at_version   patch of a scratch field, If-Match
    (over an expired item that still shows:     Check ABSENT    create of a placeholder, then delete
     replace, If-Match)
"""

import secrets
from collections.abc import Sequence
from typing import Any

from twofold.azure import document_codec as codec
from twofold.azure.cosmos import Refused
from twofold.errors import Conflict
from twofold.portable.document_store import Check, Delete, Put, Write


class Attempt:
    """The writes of one commit with the values minted for them. Raises `Conflict` as soon as one can't succeed."""

    def __init__(self, partition: str, writes: Sequence[Write], now: int) -> None:
        self.partition, self.writes, self._now = partition, writes, now
        self.minted = [secrets.token_hex(12) for _ in writes]
        self.first: list[int] = []
        self._etags: dict[int, str] = {}
        for index, write in enumerate(writes):
            if write.condition.version is not None:
                version = codec.Version.parse(write.condition.version)
                if version is None or (version.expires_at is not None and version.expires_at <= now):
                    raise Conflict(partition, write.id)
                self._etags[index] = version.etag

    def item(self, index: int) -> dict[str, Any]:
        """The item of a Put."""
        write = self.writes[index]
        assert isinstance(write, Put)
        return codec.encode(self.partition, write, self.minted[index], self._now)

    def matching(self, index: int) -> dict[str, Any]:
        """The condition of a point operation, as its arguments; empty where none is needed."""
        if (etag := self._etags.get(index)) is None:
            return {}
        from azure.core import MatchConditions

        return {"etag": etag, "match_condition": MatchConditions.IfNotModified}

    def operations(self) -> list[tuple[Any, ...]]:
        """The batch. `first` then holds where each write's operations begin."""
        operations: list[tuple[Any, ...]] = []
        self.first = []
        for index, write in enumerate(self.writes):
            self.first.append(len(operations))
            operations += self._operations_of(index, write)
        return operations

    def write_of(self, operation: int) -> int:
        """The index of the write that an operation of the batch belongs to."""
        return max(index for index, first in enumerate(self.first or [0]) if first <= operation)

    def learn(self, index: int, item: codec.Item | None, refused: Refused | None) -> None:
        """Takes in what a document is now: raises `Conflict` when the write's condition fails, else adapts its etag."""
        write = self.writes[index]
        live = item is not None and codec.is_live(item, self._now)
        if write.condition.kind == "absent":
            if live:
                raise Conflict(self.partition, write.id) from refused
            self._etags.pop(index, None)
            if item is not None:  # expired by our clock, not yet by Cosmos'
                self._etags[index] = item["_etag"]
        elif write.condition.version is not None:
            version = codec.Version.parse(write.condition.version)
            if item is None or not live or version is None or item["v"] != version.minted:
                raise Conflict(self.partition, write.id) from refused
            self._etags[index] = item["_etag"]  # a Check moved it; the document is the same

    def _operations_of(self, index: int, write: Write) -> list[tuple[Any, ...]]:
        etag = self._etags.get(index)
        matching = {"if_match_etag": etag}
        empty = codec.placeholder(self.partition, write.id)
        match write:
            case Put() if etag is not None:
                return [("replace", (write.id, self.item(index)), matching)]
            case Put():
                return [("create" if write.condition.kind == "absent" else "upsert", (self.item(index),))]
            case Delete() if etag is not None:
                return [("delete", (write.id,), matching)]
            case Delete():
                return [("upsert", (empty,)), ("delete", (write.id,))]
            case Check() if etag is not None and write.condition.kind == "version":
                touch = [{"op": "set", "path": "/k", "value": self.minted[index]}]
                return [("patch", (write.id, touch), matching)]
            case Check() if etag is not None:
                return [("delete", (write.id,), matching)]
            case _:
                return [("create", (empty,)), ("delete", (write.id,))]
