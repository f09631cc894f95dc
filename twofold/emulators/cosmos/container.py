"""A container: items by partition and id, with etags, TTL, and a log sequence for the change feed."""

import itertools
import json
import re
import uuid
from collections.abc import Callable
from typing import Any

from twofold.emulators.server import Answer

MAX_ITEM = 2 * 1024 * 1024
_BAD_ID = re.compile(r"[/\\?#]")
_lsn = itertools.count(1)
type Item = dict[str, Any]


def refuse(status: int, code: str, message: str, **headers: object) -> Answer:
    """A refusal in Cosmos' shape."""
    return Answer(status, {"code": code, "message": f"{message}\r\nActivityId: {uuid.uuid4()}"}, headers)


def bad(message: str) -> Answer:
    """The refusal of what the service would call a bad request."""
    return refuse(400, "BadRequest", message)


class Container:
    """Its writes give the HTTP status and the item as stored; all refusals are raised Answers.

    It is partitioned by the member `key`. `match` is an If-Match header's value. Bodies are what a client sent, of any form.
    """

    def __init__(self, name: str, clock: Callable[[], float], default_ttl: int | None, key: str = "p") -> None:
        self.name, self.clock, self.default_ttl, self.key = name, clock, default_ttl, key
        self.items: dict[tuple[str, str], Item] = {}  # (partition, id) -> item
        self.lsn: dict[tuple[str, str], int] = {}  # (partition, id) -> number of the last write

    def live(self, partition: str, item_id: str) -> Item | None:
        """The item, or None when there is none or it has expired."""
        item = self.items.get((partition, item_id))
        if item is not None and self._expired(item):
            del self.items[partition, item_id], self.lsn[partition, item_id]
            return None
        return item

    def read(self, partition: str, item_id: str) -> Item:
        """The item; 404 without one."""
        if (item := self.live(partition, item_id)) is None:
            raise refuse(404, "NotFound", "Entity with the specified id does not exist in the system.")
        return item

    def create(self, partition: str, body: object) -> tuple[int, Item]:
        """409 when the id is taken."""
        body = self.checked(partition, body)
        if self.live(partition, body["id"]) is not None:
            raise refuse(409, "Conflict", "Entity with the specified id already exists in the system.")
        return 201, self._store(partition, body)

    def upsert(self, partition: str, body: object, match: str | None = None) -> tuple[int, Item]:
        """`match` holds for an item that is there."""
        body = self.checked(partition, body)
        item = self.live(partition, body["id"])
        if item is not None:
            self.matching(item, match)
        return 200 if item else 201, self._store(partition, body)

    def replace(self, partition: str, item_id: str, body: object, match: str | None = None) -> tuple[int, Item]:
        """404 without an item, 412 when it is not the one that `match` names."""
        body = self.checked(partition, body)
        if body["id"] != item_id:
            raise bad("The id in the body differs from the id in the link.")
        self.matching(self.read(partition, item_id), match)
        return 200, self._store(partition, body)

    def delete(self, partition: str, item_id: str, match: str | None = None) -> tuple[int, None]:
        """As `replace`, with nothing in its place."""
        self.matching(self.read(partition, item_id), match)
        del self.items[partition, item_id], self.lsn[partition, item_id]
        return 204, None

    def patch(self, partition: str, item_id: str, patch: object, match: str | None = None) -> tuple[int, Item]:
        """As `replace`, with up to 10 operations on top-level members: all of them, or none."""
        item = self.read(partition, item_id)
        self.matching(item, match)
        body = {key: value for key, value in item.items() if not key.startswith("_")}
        operations = patch.get("operations") if isinstance(patch, dict) else None
        if not operations or len(operations) > 10:
            raise bad("A patch has 1 to 10 operations.")
        for operation in operations:
            path = operation.get("path", "")
            if operation.get("op") not in ("set", "add", "replace", "remove", "incr") or not path.startswith("/"):
                raise bad(f"The patch operation {operation!r} is not understood.")
            if path in ("/id", f"/{self.key}") or path.count("/") > 1:
                raise bad(f"The path {path} can't be patched.")
            if operation["op"] == "remove":
                if body.pop(path[1:], None) is None:
                    raise bad(f"There is nothing at {path}.")
            elif operation["op"] == "incr":
                body[path[1:]] = body.get(path[1:], 0) + operation["value"]
            else:
                body[path[1:]] = operation["value"]
        return 200, self._store(partition, self.checked(partition, body))

    def matching(self, item: Item, match: str | None) -> None:
        """412 unless the item has that etag; no header or `*` is any."""
        if match is None or match == "*":
            return
        if not (match.startswith('"') and match.endswith('"')):
            raise bad("An etag is quoted.")
        if match != item["_etag"]:
            raise refuse(412, "PreconditionFailed", "One of the specified pre-condition is not met.")

    def checked(self, partition: str, body: object) -> Item:
        """The body as an item without the system's own members; 400 or 413 when it can't be one."""
        if not isinstance(body, dict):
            raise bad("An item is a JSON object.")
        item_id = body.get("id")
        if not isinstance(item_id, str) or not item_id:
            raise bad("The input content is invalid because the required properties - 'id; ' - are missing.")
        if _BAD_ID.search(item_id) or len(item_id.encode()) > 1023:
            raise bad("The id holds an illegal character or is too long.")
        if body.get(self.key) != partition:
            raise bad("PartitionKey extracted from document doesn't match the one specified in the header.")
        if len(partition.encode()) > 2048:
            raise bad("The partition key is too long.")
        ttl = body.get("ttl")
        if ttl is not None and (type(ttl) is not int or not (ttl == -1 or 1 <= ttl <= 2**31 - 1)):
            raise bad("The ttl must be -1 or a positive number of seconds.")
        if len(json.dumps(body).encode()) > MAX_ITEM:
            raise refuse(413, "RequestEntityTooLarge", "Request size is too large.")
        return {key: value for key, value in body.items() if key not in ("_etag", "_ts", "_rid", "_self")}

    def changes(self, after: int) -> list[tuple[int, Item]]:
        """(number, item) of every live item whose last write is later, in the order of these writes."""
        newer = [(number, key) for key, number in list(self.lsn.items()) if number > after]
        return [(number, item) for number, key in sorted(newer) if (item := self.live(*key)) is not None]

    def partition(self, partition: str) -> list[Item]:
        """Every live item of it."""
        keys = [key for key in self.items if key[0] == partition]
        return [item for key in keys if (item := self.live(*key)) is not None]

    def _expired(self, item: Item) -> bool:
        if self.default_ttl is None:  # TTL is off for the whole container
            return False
        ttl: int = item.get("ttl", self.default_ttl)
        written: int = item["_ts"]
        return ttl != -1 and self.clock() >= written + ttl

    def _store(self, partition: str, body: Item) -> Item:
        key = (partition, body["id"])
        item = {
            **body,
            "_rid": "fakeAA==",
            "_self": f"dbs/fake/colls/{self.name}/docs/{body['id']}/",
            "_etag": f'"{uuid.uuid4()}"',
            "_attachments": "attachments/",
            "_ts": int(self.clock()),
        }
        self.items[key] = item
        self.lsn[key] = next(_lsn)
        return item
