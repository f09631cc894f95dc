"""Documents as DynamoDB items, and conditions as expressions.

Item: `p` partition, `i` id, `b` the body as one JSON text (numbers keep their form), `v` the version, minted by the writer,
`e` expiry in epoch seconds (the table's TTL attribute), absent when the document does not expire.
"""

import json
from collections.abc import Mapping
from typing import Any

from twofold.portable.document_store import Condition, Document, Put

type Item = Mapping[str, Mapping[str, Any]]


def key(partition: str, document_id: str) -> dict[str, Any]:
    """The primary key."""
    return {"p": {"S": partition}, "i": {"S": document_id}}


def encode(partition: str, put: Put, version: str) -> dict[str, Any]:
    """The item of a Put."""
    item = key(partition, put.id)
    item["b"] = {"S": json.dumps(put.body, ensure_ascii=False, separators=(",", ":"))}
    item["v"] = {"S": version}
    if put.expires_at is not None:
        item["e"] = {"N": str(put.expires_at)}
    return item


def decode(item: Item) -> Document:
    """The document of an item."""
    return Document(
        item["p"]["S"],
        item["i"]["S"],
        json.loads(item["b"]["S"]),
        item["v"]["S"],
        int(item["e"]["N"]) if "e" in item else None,
    )


def is_live(document: Document, now: int) -> bool:
    """Whether it has not expired; DynamoDB itself removes expired items up to days later."""
    return document.expires_at is None or document.expires_at > now


def condition(condition: Condition, now: int) -> dict[str, Any]:
    """The ConditionExpression and its values, as arguments of a call; none for ANY."""
    match condition.kind:
        case "absent":
            return {
                "ConditionExpression": "attribute_not_exists(i) OR e <= :now",
                "ExpressionAttributeValues": {":now": {"N": str(now)}},
            }
        case "version":
            return {
                "ConditionExpression": "v = :v AND (attribute_not_exists(e) OR e > :now)",
                "ExpressionAttributeValues": {":v": {"S": condition.version}, ":now": {"N": str(now)}},
            }
        case _:
            return {}
