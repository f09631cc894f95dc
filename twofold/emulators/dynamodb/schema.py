"""A table's keys and those of its indexes, and what they ask of items, keys and starts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from twofold.emulators.dynamodb.errors import invalid, wrong
from twofold.emulators.dynamodb.values import Item, check_all, ordered
from twofold.emulators.server import Answer

MAX_PARTITION, MAX_SORT = 2048, 1024
MISMATCH = "The provided key element does not match the schema"
_EMPTY = {"S": "string", "B": "binary"}


@dataclass(frozen=True, slots=True)
class Keys:
    """The partition's attribute, and the sort attribute if there is one, with their types."""

    partition: str
    sort: str | None
    types: Mapping[str, str]
    whole: bool = True
    """False for an index of several key attributes, which is not looked at."""


@dataclass(frozen=True, slots=True)
class Table:
    """The keys of a table and, by their names, of its indexes."""

    keys: Keys
    indexes: Mapping[str, Keys]

    def check_item(self, item: Item) -> None:
        """Raises the refusal of an item whose keys are not those of the table and its indexes."""
        for name, kind in self.keys.types.items():
            if name not in item:
                raise wrong(f"Missing the key {name} in the item")
            if (actual := next(iter(item[name]))) != kind:
                raise wrong(f"Type mismatch for key {name} expected: {kind} actual: {actual}")
        self._check_lengths(item)
        for index, keys in self.indexes.items():
            for name, kind in keys.types.items():
                if name in self.keys.types or name not in item:
                    continue
                if (actual := next(iter(item[name]))) != kind:
                    raise wrong(
                        f"Type mismatch for Index Key {name} Expected: {kind} Actual: {actual} IndexName: {index}"
                    )
                if kind in _EMPTY and not item[name][kind]:
                    raise invalid(
                        "One or more parameter values are not valid. A value specified for a secondary index key is not supported."
                        f" The AttributeValue for a key attribute cannot contain an empty {_EMPTY[kind]} value."
                        f" IndexName: {index}, IndexKey: {name}"
                    )

    def check_key(self, key: Item) -> None:
        """Raises the refusal of a key that is not one of the table's."""
        check_all(key.values())
        if {name: next(iter(value)) for name, value in key.items()} != self.keys.types:
            raise invalid(MISMATCH)
        self._check_lengths(key)

    def check_start(self, start: Item, index: str | None) -> None:
        """Raises the refusal of a start that is no key of the table, with the index' key if one is read."""
        wanted = {**self.keys.types, **(self.indexes[index].types if index else {})}
        try:
            check_all(start.values())
        except Answer:
            raise invalid("The provided starting key is invalid") from None
        if {name: next(iter(value)) for name, value in start.items()} != wanted:
            raise invalid("The provided starting key is invalid")

    def read(self, index: str | None) -> Keys:
        """The keys of what is read; raises the refusal of an index that is not there."""
        if index is None:
            return self.keys
        if index not in self.indexes:
            raise invalid(f"The table does not have the specified index: {index}")
        return self.indexes[index]

    def _check_lengths(self, key: Item) -> None:
        for name, kind in self.keys.types.items():
            check_filled(name, kind, key[name][kind])
            length = len(ordered(kind, key[name][kind])) if kind in _EMPTY else 0
            if name == self.keys.partition and length > MAX_PARTITION:
                raise wrong("Aggregated size of all hash keys has exceeded the size limit of 2048 bytes")
            if name == self.keys.sort and length > MAX_SORT:
                raise wrong("Aggregated size of all range keys has exceeded the size limit of 1024 bytes")


def check_filled(name: str, kind: str, content: str) -> None:
    """Raises the refusal of a key attribute that is empty."""
    if kind in _EMPTY and not content:
        raise invalid(
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty"
            f" {_EMPTY[kind]} value. Key: {name}"
        )


def table_of(description: Mapping[str, Any]) -> Table:
    """From what DescribeTable says."""
    types = {one["AttributeName"]: one["AttributeType"] for one in description["AttributeDefinitions"]}
    indexes = [*description.get("GlobalSecondaryIndexes", ()), *description.get("LocalSecondaryIndexes", ())]
    return Table(
        _keys(description["KeySchema"], types), {one["IndexName"]: _keys(one["KeySchema"], types) for one in indexes}
    )


def _keys(schema: list[dict[str, str]], types: Mapping[str, str]) -> Keys:
    names = {kind: [one["AttributeName"] for one in schema if one["KeyType"] == kind] for kind in ("HASH", "RANGE")}
    sort = names["RANGE"][0] if names["RANGE"] else None
    held = {name: types[name] for name in (*names["HASH"], *names["RANGE"])}
    return Keys(names["HASH"][0], sort, held, len(names["HASH"]) == 1 and len(names["RANGE"]) < 2)
