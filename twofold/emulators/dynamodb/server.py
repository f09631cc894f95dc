"""The server: DynamoDB's JSON protocol on loopback."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

from twofold.emulators import ministack
from twofold.emulators.dynamodb.backend import Backend
from twofold.emulators.dynamodb.errors import JSON, MISSING_TABLE, invalid, missing, refuse
from twofold.emulators.dynamodb.replica import REGION as ELSEWHERE
from twofold.emulators.dynamodb.replica import Replica
from twofold.emulators.dynamodb.requests import MAX_TRANSACTION, check
from twofold.emulators.dynamodb.schema import Table, table_of
from twofold.emulators.dynamodb.values import Item, canonical, item_size
from twofold.emulators.server import Answer, FakeServer, Headers

SERVICE = "DynamoDB_20120810"
MAX_READ = 16 * 1024 * 1024
TOKEN_SECONDS = 600
_NO_PARTIQL = ("ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction")
_OF_TABLES = ("CreateTable", "UpdateTable", "DeleteTable")


class DynamoDB(FakeServer):
    """Before the backend at `backend`, at `url`. `stale` is whether eventual reads are; `clock` gives seconds."""

    def __init__(
        self,
        backend: str,
        *,
        region: str = ministack.REGION,
        stale: bool = True,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._backend, self._region, self._clock = Backend(backend), region, clock
        self._replica = Replica(self._backend, region) if stale else None
        self._tables: dict[str, Table] = {}
        self._tokens: dict[str, tuple[float, str]] = {}
        super().__init__(tls=False)
        self.url = f"http://127.0.0.1:{self.host.rpartition(':')[2]}"

    def serve(self, method: str, path: str, raw_query: str, headers: Headers, body: bytes) -> Answer:
        target = headers.get("X-Amz-Target", "")
        service, _, operation = target.partition(".")
        if service != SERVICE:
            return self._backend.send(target, body, self._region)
        try:
            request = json.loads(body)
        except ValueError:
            raise refuse("SerializationException", "The request is no JSON.") from None
        if b'"N' in body:
            request = canonical(request)
            body = json.dumps(request).encode()
        if operation in _NO_PARTIQL:
            raise refuse("UnknownOperationException", "This emulator takes no PartiQL.")
        try:
            check(operation, request, self._table)
        except KeyError as exc:
            raise missing(str(exc.args[0])) from None
        except (TypeError, AttributeError, IndexError):
            raise refuse("SerializationException", f"The request is no {operation}.") from None
        for name, key in self._written(operation, request) if self._replica else ():
            self._replica.fall_behind(name, key)  # type: ignore[union-attr]
        if operation == "UpdateItem" and not request.keys() & {"UpdateExpression", "AttributeUpdates"}:
            # It makes the item, which moto does only for an update of something.
            body = json.dumps(request | {"UpdateExpression": "REMOVE twofold_nothing"}).encode()
        match operation:
            case "GetItem" | "Query" | "Scan":
                return self._read(target, request, body)
            case "BatchGetItem":
                return self._batch_get(request)
            case "TransactWriteItems" if request.get("ClientRequestToken"):
                return self._once(target, request)
            case "TransactGetItems":
                return self._transact_get(target, body)
        answer = self._backend.send(target, body, self._region)
        if operation in _OF_TABLES and answer.status == 200:
            self._forget(request["TableName"])
        return answer

    def settle(self) -> None:
        """Lets eventual reads see all that was written."""
        with self.lock:
            if self._replica:
                self._replica.settle()

    def close(self) -> None:
        super().close()
        self._backend.close()

    def _table(self, name: str) -> Table:
        if name not in self._tables:
            try:
                description = self._backend.call("DescribeTable", {"TableName": name}, self._region)["Table"]
            except Answer:
                raise refuse("ResourceNotFoundException", MISSING_TABLE) from None
            if self._replica:
                self._replica.add(description)
            self._tables[name] = table_of(description)
        return self._tables[name]

    def _forget(self, name: str) -> None:
        if self._tables.pop(name, None) and self._replica:
            self._replica.remove(name)

    def _written(self, operation: str, request: dict[str, Any]) -> Iterator[tuple[str, Item]]:
        match operation:
            case "PutItem":
                yield self._key(request["TableName"], request["Item"])
            case "DeleteItem" | "UpdateItem":
                yield request["TableName"], request["Key"]
            case "BatchWriteItem":
                for name, writes in request["RequestItems"].items():
                    for write in writes:
                        yield self._key(
                            name,
                            write["PutRequest"]["Item"] if "PutRequest" in write else write["DeleteRequest"]["Key"],
                        )
            case "TransactWriteItems":
                for [(kind, action)] in (one.items() for one in request["TransactItems"]):
                    if kind != "ConditionCheck":
                        yield self._key(action["TableName"], action["Item"] if kind == "Put" else action["Key"])

    def _key(self, name: str, item: Item) -> tuple[str, Item]:
        return name, {attribute: item[attribute] for attribute in self._tables[name].keys.types}

    def _read(self, target: str, request: dict[str, Any], body: bytes) -> Answer:
        if self._replica is None or request.get("ConsistentRead"):
            return self._backend.send(target, body, self._region)
        answer = self._backend.send(target, body, ELSEWHERE)
        self._replica.catch_up(request["TableName"])
        return answer

    def _batch_get(self, request: dict[str, Any]) -> Answer:
        """A table at a time, since each says whether its reads are consistent; what is beyond 16 MB is left for another call."""
        result: dict[str, Any] = {"Responses": {}, "UnprocessedKeys": {}}
        room = MAX_READ
        for name, batch in request["RequestItems"].items():
            stale = self._replica is not None and not batch.get("ConsistentRead")
            items, left = self._get(name, batch, batch["Keys"], stale)
            if left or sum(map(item_size, items)) > room:
                items, left = self._get_some(name, batch, stale, room)
            room -= sum(map(item_size, items))
            result["Responses"][name] = items
            if left:
                result["UnprocessedKeys"][name] = batch | {"Keys": left}
            if stale and self._replica:
                self._replica.catch_up(name)
        return Answer(200, result, {"Content-Type": JSON})

    def _get(self, name: str, batch: dict[str, Any], keys: list[Item], stale: bool) -> tuple[list[Item], list[Item]]:
        """The items, and the keys of those that the backend left."""
        one = {"RequestItems": {name: batch | {"Keys": keys}}}
        answer = self._backend.call("BatchGetItem", one, ELSEWHERE if stale else self._region)
        left = answer.get("UnprocessedKeys", {}).get(name, {}).get("Keys", [])
        return answer["Responses"].get(name, []), left

    def _get_some(self, name: str, batch: dict[str, Any], stale: bool, room: int) -> tuple[list[Item], list[Item]]:
        """The items that there is room for, and the keys of the others."""
        items: list[Item] = []
        for place, key in enumerate(batch["Keys"]):
            read, _ = self._get(name, batch, [key], stale)
            room -= sum(map(item_size, read))
            if room < 0:
                return items, batch["Keys"][place:]
            items += read
        return items, []

    def _once(self, target: str, request: dict[str, Any]) -> Answer:
        """A transaction with a token: done once within ten minutes."""
        token = request.pop("ClientRequestToken")
        content = json.dumps(request, sort_keys=True)
        until, before = self._tokens.get(token, (0.0, ""))
        if until > self._clock():
            if before == content:
                return Answer(200, {}, {"Content-Type": JSON})
            raise refuse(
                "IdempotentParameterMismatchException",
                "Request token already in use for another request with a different payload",
            )
        answer = self._backend.send(target, json.dumps(request).encode(), self._region)
        if answer.status == 200:
            self._tokens[token] = self._clock() + TOKEN_SECONDS, content
        return answer

    def _transact_get(self, target: str, body: bytes) -> Answer:
        answer = self._backend.send(target, body, self._region)
        if answer.status == 200:
            items = [one.get("Item", {}) for one in json.loads(answer.data)["Responses"]]
            if sum(map(item_size, items)) > MAX_TRANSACTION:
                raise invalid("Transaction request exceeds the 4MB transaction size limit")
        return answer
