"""The state that eventual reads see: a copy of each table in another region of the backend, always some writes behind."""

import itertools
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from twofold.emulators.dynamodb.backend import Backend
from twofold.emulators.dynamodb.values import Item
from twofold.emulators.server import Answer

REGION = "ap-southeast-1"
_INDEX = ("IndexName", "KeySchema", "Projection")


class Replica:
    """A write is seen by the second eventual read of its table after it, never by the first. A backend has one at most."""

    def __init__(self, backend: Backend, region: str) -> None:
        self._backend, self._region = backend, region
        self._behind: dict[str, dict[str, Item]] = {}

    def add(self, description: Mapping[str, Any]) -> None:
        """Copies a table as it is now."""
        name = description["TableName"]
        table = {member: description[member] for member in ("TableName", "KeySchema", "AttributeDefinitions")}
        for kind in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
            if indexes := description.get(kind):
                table[kind] = [{member: index[member] for member in _INDEX} for index in indexes]
        self._backend.call("CreateTable", table | {"BillingMode": "PAY_PER_REQUEST"}, REGION)
        request: dict[str, Any] = {"TableName": name, "ConsistentRead": True}
        while request:
            page = self._backend.call("Scan", request, self._region)
            self._write(name, [{"PutRequest": {"Item": item}} for item in page["Items"]])
            last = page.get("LastEvaluatedKey")
            request = request | {"ExclusiveStartKey": last} if last else {}
        self._behind[name] = {}

    def remove(self, name: str) -> None:
        """Forgets a table. A backend that was started again has no copy of it either."""
        if self._behind.pop(name, None) is not None:
            with suppress(Answer):
                self._backend.call("DeleteTable", {"TableName": name}, REGION)

    def fall_behind(self, name: str, key: Item) -> None:
        """An item is about to be written."""
        self._behind[name][json.dumps(key, sort_keys=True)] = key

    def catch_up(self, name: str) -> None:
        """Copies the items that were written."""
        keys, self._behind[name] = self._behind[name], {}
        for some in itertools.batched(keys.items(), 25, strict=False):
            wanted = {"RequestItems": {name: {"Keys": [key for _, key in some], "ConsistentRead": True}}}
            items = self._backend.call("BatchGetItem", wanted, self._region)["Responses"].get(name, [])
            names = some[0][1].keys()
            left = dict(some)
            for item in items:
                del left[json.dumps({name: item[name] for name in names}, sort_keys=True)]
            self._write(name, [{"PutRequest": {"Item": item}} for item in items])
            self._write(name, [{"DeleteRequest": {"Key": key}} for key in left.values()])

    def settle(self) -> None:
        """Copies all that was written."""
        for name in self._behind:
            self.catch_up(name)

    def _write(self, name: str, writes: Iterable[dict[str, Any]]) -> None:
        for some in itertools.batched(writes, 25, strict=False):
            self._backend.call("BatchWriteItem", {"RequestItems": {name: list(some)}}, REGION)
