"""The REST surface: account, containers, items, queries, batches, change feed."""

import json
import re
import time
from typing import Any, Never
from urllib.parse import unquote

from twofold.emulators.cosmos import batch, query
from twofold.emulators.cosmos.container import MAX_ITEM, Container, Item, bad, refuse
from twofold.emulators.managed_identity import TOKEN
from twofold.emulators.server import Answer, FakeServer, Headers

_ROUTE = re.compile(r"/dbs/([^/]+)(?:/colls/([^/]+)(?:/(docs|pkranges)(?:/([^/]+))?)?)?/?")


class CosmosFake(FakeServer):
    """`cosmos://<host>/<database>` once `create` has made its containers. `advance` moves its clock, in seconds."""

    def __init__(self) -> None:
        self.containers: dict[tuple[str, str], Container] = {}
        self.offset = 0.0
        super().__init__()

    def clock(self) -> float:
        """The service's time, in seconds since 1970."""
        return time.time() + self.offset

    def advance(self, seconds: float) -> None:
        """Moves it on, so that items expire."""
        self.offset += seconds

    def create(self, database: str, *containers: str, default_ttl: int | None = -1, key: str = "p") -> str:
        """Makes them, empty and partitioned by `key`; returns the store's URL.

        `default_ttl` is in seconds; -1: an item expires by its own `ttl` alone; None: no item expires.
        """
        for name in containers:
            self.containers[database, name] = Container(name, self.clock, default_ttl, key)
        return f"cosmos://{self.host}/{database}"

    def serve(self, method: str, path: str, raw_query: str, headers: Headers, body: bytes) -> Answer:
        self._authorize(headers)
        if path == "/" and method == "GET":
            return Answer(200, self._account())
        route = _ROUTE.fullmatch(path)
        if route is None:
            raise bad(f"There is nothing at {path}.")
        database, name, kind, item_id = (unquote(part or "") for part in route.groups())
        if (container := self.containers.get((database, name))) is None:
            raise refuse(
                404, "NotFound", "Resource Not Found: Owner resource does not exist", **{"x-ms-substatus": 1003}
            )
        if not kind and method == "GET":
            return Answer(200, self._container(container))
        if kind == "pkranges" and method == "GET":
            return self._ranges(headers)
        if kind == "docs":
            return self._items(container, method, item_id, headers, body)
        raise bad(f"{method} {path} is not understood.")

    def _items(self, container: Container, method: str, item_id: str, headers: Headers, body: bytes) -> Answer:
        if method == "GET" and not item_id:
            return self._changes(container, headers)
        if method == "POST" and not item_id and headers.get("x-ms-documentdb-isquery", "").lower() == "true":
            return self._query(container, headers, self._json(body))
        partition = self._partition(headers)
        if method == "POST" and not item_id:
            return self._post(container, partition, headers, body)
        match = headers.get("If-Match")
        if method == "GET":
            item = container.read(partition, item_id)
            if headers.get("If-None-Match") == item["_etag"]:
                return Answer(304, None, {"etag": item["_etag"]})
            return self._item(200, item)
        if method == "PUT":
            return self._item(*container.replace(partition, item_id, self._json(body), match))
        if method == "PATCH":
            return self._item(*container.patch(partition, item_id, self._json(body), match))
        if method == "DELETE":
            return self._item(*container.delete(partition, item_id, match))
        raise bad(f"{method} on an item is not understood.")

    def _post(self, container: Container, partition: str, headers: Headers, body: bytes) -> Answer:
        content = self._json(body)
        if headers.get("x-ms-cosmos-is-batch-request", "").lower() == "true":
            if headers.get("x-ms-cosmos-batch-atomic", "").lower() != "true":
                raise bad("This account takes atomic batches only.")
            return batch.run(container, partition, content, len(body))
        if headers.get("x-ms-documentdb-is-upsert", "").lower() == "true":
            return self._item(*container.upsert(partition, content, headers.get("If-Match")))
        return self._item(*container.create(partition, content))

    def _query(self, container: Container, headers: Headers, content: object) -> Answer:
        if not headers.get("Content-Type", "").startswith("application/query+json"):
            raise bad("A query is sent as application/query+json.")
        limit = int(headers.get("x-ms-max-item-count", 100))
        start = int(headers.get("x-ms-continuation") or 0)
        if "x-ms-documentdb-partitionkey" in headers:
            items = query.run(container.partition(self._partition(headers)), content)
            page, more = items[start : start + limit], start + limit if start + limit < len(items) else None
        elif headers.get("x-ms-documentdb-query-enablecrosspartition", "").lower() == "true":
            if "ORDER BY" in str(content) or "OFFSET" in str(content):
                raise bad("The gateway does not order across partitions; fetch the query plan.")
            items = query.run([{**item, "_lsn": number} for number, item in container.changes(start)], content)
            page, more = items[:limit], items[limit - 1]["_lsn"] if limit < len(items) else None
        else:
            raise bad("Cross partition query is required but disabled.")
        answer_headers = self._charged() | ({"x-ms-continuation": more} if more else {})
        return Answer(200, {"_rid": "fakeAA==", "Documents": page, "_count": len(page)}, answer_headers)

    def _changes(self, container: Container, headers: Headers) -> Answer:
        if headers.get("A-IM", "").lower() not in ("incremental feed", "incremental"):
            raise bad("Reading a whole container is not offered; ask for its change feed or run a query.")
        etag = headers.get("If-None-Match", "").strip('"')
        after = max(container.lsn.values(), default=0) if etag == "*" else int(etag or 0)
        limit = int(headers.get("x-ms-max-item-count") or 100)
        changes = container.changes(after)[:limit]
        answer_headers = {"etag": f'"{changes[-1][0] if changes else after}"'} | self._charged()
        if not changes:
            return Answer(304, None, answer_headers)
        items = [{**item, "_lsn": number} for number, item in changes]
        return Answer(200, {"_rid": "fakeAA==", "Documents": items, "_count": len(items)}, answer_headers)

    def _authorize(self, headers: Headers) -> None:
        token = unquote(headers.get("Authorization", ""))
        if not headers.get("x-ms-version") or not headers.get("x-ms-date"):
            raise bad("x-ms-version and x-ms-date are required.")
        if token.startswith("type=master"):
            raise refuse(401, "Unauthorized", "Local Authorization is disabled. Use an AAD token.")
        if token != f"type=aad&ver=1.0&sig={TOKEN}":
            raise refuse(401, "Unauthorized", "The input authorization token can't serve the request.")

    def _partition(self, headers: Headers) -> str:
        try:
            [partition] = json.loads(headers.get("x-ms-documentdb-partitionkey", ""))
        except (ValueError, TypeError):
            raise bad("PartitionKey is required, as a JSON array of one value.") from None
        if not isinstance(partition, str):
            raise bad("The partition key of this container is a string.")
        return partition

    def _json(self, body: bytes) -> object:
        if len(body) > MAX_ITEM + 64 * 1024:
            raise refuse(413, "RequestEntityTooLarge", "Request size is too large.")
        try:
            return json.loads(body, parse_constant=_refuse_constant)
        except ValueError:
            raise bad("The body is no JSON.") from None

    def _item(self, status: int, item: Item | None) -> Answer:
        return Answer(status, item, self._charged() | ({"etag": item["_etag"]} if item else {}))

    def _charged(self) -> dict[str, str]:
        return {"x-ms-request-charge": "1.0", "x-ms-session-token": "0:-1#1"}

    def _ranges(self, headers: Headers) -> Answer:
        etag = '"1"'
        if headers.get("If-None-Match") == etag:
            return Answer(304, None, {"etag": etag})
        only = {
            "_rid": "fakeAA==",
            "id": "0",
            "minInclusive": "",
            "maxExclusive": "FF",
            "parents": [],
            "status": "online",
        }
        return Answer(200, {"_rid": "fakeAA==", "PartitionKeyRanges": [only], "_count": 1}, {"etag": etag})

    def _account(self) -> dict[str, Any]:
        here = [{"name": "Loopback", "databaseAccountEndpoint": f"https://{self.host}/"}]
        return {
            "id": "fake", "_rid": "fake", "_self": "", "_dbs": "//dbs/", "media": "//media/", "addresses": "//addresses/",
            "writableLocations": here, "readableLocations": here, "enableMultipleWriteLocations": False,
            "userConsistencyPolicy": {"defaultConsistencyLevel": "Strong"},
            "userReplicationPolicy": {"minReplicaSetSize": 3, "maxReplicasetSize": 4},
            "systemReplicationPolicy": {"minReplicaSetSize": 3, "maxReplicasetSize": 4},
        }  # fmt: skip

    def _container(self, container: Container) -> dict[str, Any]:
        return {
            "id": container.name, "_rid": "fakeAA==", "_self": "dbs/fake/colls/fake/", "_etag": '"1"', "_ts": 0,
            "partitionKey": {"paths": [f"/{container.key}"], "kind": "Hash", "version": 2},
            "defaultTtl": container.default_ttl,
            "indexingPolicy": {"indexingMode": "consistent", "automatic": True},
        }  # fmt: skip


def _refuse_constant(name: str) -> Never:
    raise ValueError(f"JSON has no {name}")
