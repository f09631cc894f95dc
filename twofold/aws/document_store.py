"""DocumentStore on DynamoDB: a table per collection, `<prefix>-<collection>`, keys `p` and `i`, strongly consistent reads."""

import asyncio
import json
import random
import secrets
import uuid
from collections.abc import Sequence
from typing import Any, NoReturn

from twofold.aws import document_codec as codec
from twofold.aws.client import THROTTLES, Client, client_of, code_of
from twofold.errors import Conflict, StoreRefused, StoreThrottled, StoreUnavailable
from twofold.portable.document_store import Check, Delete, Document, Put, Write

CONTENDED_ATTEMPTS = 6
HINTS = {
    "ResourceNotFoundException": "; does the table exist in this region, and is TWOFOLD_STORE_URL right?",
    "AccessDeniedException": "; may this role use the table?",
    "UnrecognizedClientException": "; are the credentials those of this account?",
}
DOWN = HINTS.keys() | {
    "ExpiredTokenException", "IncompleteSignature", "IncompleteSignatureException", "InvalidClientTokenId",
    "InvalidSignatureException", "MissingAuthenticationToken", "MissingAuthenticationTokenException", "RequestExpired",
}  # fmt: skip
"""Refusals below 500 of the login or the table, whatever is written ("Common Errors", "Error handling with DynamoDB")."""
INVALID = ("ItemCollectionSizeLimitExceeded", "ValidationError")
"""Why a transaction was cancelled that would be again."""


def from_url(url: str) -> "DynamoDBDriver":
    """The driver of `dynamodb://<region>/<table prefix>[?endpoint=http://…]`; connects at the first use."""
    client, prefix = client_of("dynamodb", url)
    return DynamoDBDriver(client, prefix)


class DynamoDBDriver:
    """One write is a conditional PutItem or DeleteItem, several are one TransactWriteItems.

    boto3 sends a write again after a lost answer. The repetition of a single write then fails its own condition; the
    version, minted here, tells that the stored item is ours. A transaction has a request token, which DynamoDB honours.
    """

    system = "aws.dynamodb"

    def __init__(self, client: Client, prefix: str) -> None:
        self._client = client
        self._prefix = prefix

    async def get(self, collection: str, partition: str, document_id: str, *, now: int) -> Document | None:
        """See `DocumentDriver`."""
        answer = await self._call(
            "get_item", TableName=self._table(collection), Key=codec.key(partition, document_id), ConsistentRead=True
        )
        if "Item" not in answer:
            return None
        document = codec.decode(answer["Item"])
        return document if codec.is_live(document, now) else None

    async def query(
        self, collection: str, partition: str, *, start: str | None, end: str | None, after: str | None,
        limit: int, descending: bool, now: int,
    ) -> tuple[Document, ...]:  # fmt: skip
        """See `DocumentDriver`."""
        # One sort-key condition is allowed: BETWEEN, with the exclusive end filtered below.
        expression, values = "p = :p", {":p": {"S": partition}}
        if start is not None:
            values[":a"] = {"S": start}
        if end is not None:
            values[":b"] = {"S": end}
        if start is not None and end is not None:
            if start >= end:
                return ()
            expression += " AND i BETWEEN :a AND :b"
        elif start is not None:
            expression += " AND i >= :a"
        elif end is not None:
            expression += " AND i < :b"
        arguments: dict[str, Any] = {
            "TableName": self._table(collection),
            "KeyConditionExpression": expression,
            "ExpressionAttributeValues": values,
            "ScanIndexForward": not descending,
            "ConsistentRead": True,
        }
        if after is not None:
            arguments["ExclusiveStartKey"] = codec.key(partition, after)
        documents: list[Document] = []
        while True:
            answer = await self._call("query", **arguments, Limit=limit - len(documents) + 1)
            for item in answer["Items"]:
                document = codec.decode(item)
                if codec.is_live(document, now) and (end is None or document.id.encode() < end.encode()):
                    documents.append(document)
            if len(documents) >= limit or "LastEvaluatedKey" not in answer:
                return tuple(documents[:limit])
            arguments["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    async def scan(
        self, collection: str, *, prefix: str, document_id: str | None, cursor: str | None, now: int
    ) -> tuple[Sequence[Document], str | None]:
        """See `DocumentDriver`. Reads the whole table: the filter only spares the transfer."""
        tests, values = ["begins_with(p, :p)"] if prefix else [], {":p": {"S": prefix}} if prefix else {}
        if document_id is not None:
            tests.append("i = :i")
            values[":i"] = {"S": document_id}
        arguments: dict[str, Any] = {"TableName": self._table(collection), "ConsistentRead": True}
        if tests:
            arguments |= {"FilterExpression": " AND ".join(tests), "ExpressionAttributeValues": values}
        if cursor is not None:
            arguments["ExclusiveStartKey"] = codec.key(*json.loads(cursor))
        answer = await self._call("scan", **arguments)
        documents = [document for item in answer["Items"] if codec.is_live(document := codec.decode(item), now)]
        if (last := answer.get("LastEvaluatedKey")) is None:
            return documents, None
        return documents, json.dumps([last["p"]["S"], last["i"]["S"]])

    async def commit(self, collection: str, partition: str, writes: Sequence[Write], *, now: int) -> list[str | None]:
        """See `DocumentDriver`."""
        versions = [secrets.token_hex(12) if isinstance(write, Put) else None for write in writes]
        table = self._table(collection)
        if len(writes) == 1 and not isinstance(writes[0], Check):
            await self._write(table, partition, writes[0], versions[0], now)
        else:
            await self._transact(table, partition, writes, versions, now)
        return versions

    async def ping(self) -> None:
        """See `DocumentDriver`."""
        await self._call("get_item", TableName=self._table("documents"), Key=codec.key("twofold", "ping"))

    async def close(self) -> None:
        """See `DocumentDriver`."""
        await self._client.close()

    async def _write(self, table: str, partition: str, write: Put | Delete, version: str | None, now: int) -> None:
        arguments = {"TableName": table, **codec.condition(write.condition, now)}
        if write.condition.kind != "any":
            arguments["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        if isinstance(write, Put):
            assert version is not None
            operation, arguments["Item"] = "put_item", codec.encode(partition, write, version)
        else:
            operation, arguments["Key"] = "delete_item", codec.key(partition, write.id)
        from botocore.exceptions import ClientError

        try:
            await self._contended(operation, arguments)
        except ClientError as exc:
            if code_of(exc) != "ConditionalCheckFailedException":
                _raise(exc)
            item: Any = exc.response.get("Item", {})
            if version is not None and item.get("v") == {"S": version}:
                return  # our own write, sent again by the SDK
            # A delete that was sent again finds nothing; with one answer lost nobody can tell whose it was.
            raise Conflict(partition, write.id) from exc

    async def _transact(
        self, table: str, partition: str, writes: Sequence[Write], versions: Sequence[str | None], now: int
    ) -> None:
        items = [
            _transact_item(table, partition, write, version, now)
            for write, version in zip(writes, versions, strict=True)
        ]
        from botocore.exceptions import ClientError

        try:
            await self._contended(
                "transact_write_items", {"TransactItems": items, "ClientRequestToken": str(uuid.uuid4())}
            )
        except ClientError as exc:
            if code_of(exc) != "TransactionCanceledException":
                _raise(exc)
            for write, reason in zip(writes, _reasons(exc), strict=False):
                if reason == "ConditionalCheckFailed":
                    raise Conflict(partition, write.id) from exc
            error = StoreRefused if any(reason in INVALID for reason in _reasons(exc)) else StoreThrottled
            raise error(f"DynamoDB cancelled a transaction: {sorted(set(_reasons(exc)))}") from exc

    async def _contended(self, operation: str, arguments: dict[str, Any]) -> Any:
        """Calls, and calls again with jitter while another transaction holds an item: that says nothing about ours."""
        from botocore.exceptions import BotoCoreError, ClientError

        for attempt in range(CONTENDED_ATTEMPTS):
            try:
                return await self._client.call(operation, **arguments)
            except ClientError as exc:
                code, reasons = code_of(exc), _reasons(exc)
                contended = code == "TransactionConflictException" or (
                    "TransactionConflict" in reasons and "ConditionalCheckFailed" not in reasons
                )
                if not contended or attempt == CONTENDED_ATTEMPTS - 1:
                    raise
                await asyncio.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311 - jitter
            except BotoCoreError as exc:
                raise StoreUnavailable(f"DynamoDB does not answer: {exc}") from exc
        raise AssertionError("the loop returns or raises")

    async def _call(self, operation: str, **arguments: Any) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return await self._client.call(operation, **arguments)
        except ClientError as exc:
            _raise(exc)
        except BotoCoreError as exc:
            raise StoreUnavailable(f"DynamoDB does not answer: {exc}") from exc

    def _table(self, collection: str) -> str:
        return f"{self._prefix}-{collection}"


def _transact_item(table: str, partition: str, write: Write, version: str | None, now: int) -> dict[str, Any]:
    arguments = {"TableName": table, **codec.condition(write.condition, now)}
    match write:
        case Put():
            assert version is not None
            return {"Put": {**arguments, "Item": codec.encode(partition, write, version)}}
        case Delete():
            return {"Delete": {**arguments, "Key": codec.key(partition, write.id)}}
        case Check():
            return {"ConditionCheck": {**arguments, "Key": codec.key(partition, write.id)}}


def _reasons(exc: Any) -> list[str]:
    return [reason.get("Code", "None") for reason in exc.response.get("CancellationReasons", ())]


def _raise(exc: Any) -> NoReturn:
    code = code_of(exc)
    if code in THROTTLES or code == "TransactionConflictException":
        raise StoreThrottled(f"DynamoDB: {code}") from exc
    status = exc.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    error = StoreRefused if 400 <= status < 500 and code not in DOWN else StoreUnavailable
    raise error(f"DynamoDB: {code}: {exc.response['Error'].get('Message', '')}{HINTS.get(code, '')}") from exc
