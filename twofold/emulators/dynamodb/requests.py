"""What each operation asks of its request."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from twofold.emulators.dynamodb import key_condition
from twofold.emulators.dynamodb.errors import cancelled, invalid, message_of, unmet, wrong
from twofold.emulators.dynamodb.expressions import Expressions, expressions, named_in
from twofold.emulators.dynamodb.schema import MISMATCH, Table
from twofold.emulators.dynamodb.values import MAX_ITEM, Item, check_all, item_size
from twofold.emulators.server import Answer

type Request = Mapping[str, Any]
type Tables = Callable[[str], Table]

MAX_BATCH, MAX_KEYS, MAX_ACTIONS = 25, 100, 100
MAX_TRANSACTION = 4 * 1024 * 1024
MAX_TOKEN = 36
TOO_LARGE = "Item size has exceeded the maximum allowed size"
_ACTIONS = ("Put", "Update", "Delete", "ConditionCheck")


def check(operation: str, request: Request, tables: Tables) -> None:
    """Raises the refusal of a request that AWS refuses. `tables` raises it for a table that is not there."""
    if (rule := _RULES.get(operation)) is not None:
        rule(request, tables)


def _put(request: Request, tables: Tables) -> None:
    _check_values(request["Item"])
    expressions(request)
    tables(request["TableName"]).check_item(request["Item"])


def _by_key(request: Request, tables: Tables) -> None:
    check_all(request["Key"].values())
    parsed = expressions(request)
    table = tables(request["TableName"])
    table.check_key(request["Key"])
    _check_changed(parsed, table)


def _query(request: Request, tables: Tables) -> None:
    _check_limit(request)
    parsed = expressions(request)
    if not parsed.keys and not request.get("KeyConditions"):
        raise invalid("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
    table = tables(request["TableName"])
    keys = table.read(request.get("IndexName"))
    start = request.get("ExclusiveStartKey")
    if start is not None:
        table.check_start(start, request.get("IndexName"))
    if not parsed.keys or not keys.whole:
        return
    key_condition.check_keys(keys, parsed.keys)
    if start is not None:
        key_condition.check_start(keys, parsed.keys, start)
    for name in sorted(named_in(parsed.filter)) if parsed.filter else ():
        if name in keys.types:
            raise invalid(
                f"Filter Expression can only contain non-primary key attributes: Primary key attribute: {name}"
            )


def _scan(request: Request, tables: Tables) -> None:
    _check_limit(request)
    expressions(request)
    table = tables(request["TableName"])
    table.read(request.get("IndexName"))
    if (start := request.get("ExclusiveStartKey")) is not None:
        try:
            table.check_start(start, request.get("IndexName"))
        except Answer as refusal:
            raise invalid(f"{message_of(refusal)}: {MISMATCH}") from None


def _batch_write(request: Request, tables: Tables) -> None:
    batches = _batches(request)
    if any(len(writes) > MAX_BATCH for writes in batches.values()):
        raise unmet(
            "{…}", "requestItems",
            "Map value must satisfy constraint: [Member must have length less than or equal to 25,"
            " Member must have length greater than or equal to 1]",
        )  # fmt: skip
    if sum(map(len, batches.values())) > MAX_BATCH:
        raise invalid("Too many items requested for the BatchWriteItem call")
    for name, writes in batches.items():
        keys = []
        for write in writes:
            if "PutRequest" in write:
                _check_values(item := write["PutRequest"]["Item"])
                table = tables(name)
                if not table.keys.types.keys() <= item.keys():
                    raise invalid(MISMATCH)
                table.check_item(item)
                keys.append(_key_of(table, item))
            else:
                tables(name).check_key(write["DeleteRequest"]["Key"])
                keys.append(write["DeleteRequest"]["Key"])
        _check_once(keys, "Provided list of item keys contains duplicates")


def _batch_get(request: Request, tables: Tables) -> None:
    batches = _batches(request)
    if sum(len(batch["Keys"]) for batch in batches.values()) > MAX_KEYS:
        raise invalid("Too many items requested for the BatchGetItem call")
    for name, batch in batches.items():
        expressions(batch)
        table = tables(name)
        for key in batch["Keys"]:
            table.check_key(key)
        _check_once(batch["Keys"], "Provided list of item keys contains duplicates")


def _transact_write(request: Request, tables: Tables) -> None:
    if len(request.get("ClientRequestToken") or "") > MAX_TOKEN:
        raise unmet(
            request["ClientRequestToken"], "clientRequestToken", "Member must have length less than or equal to 36"
        )
    actions, total = [], 0
    for kind, action in _actions(request, _ACTIONS):
        actions.append((kind, action, expressions(action)))
        item = action["Item"] if kind == "Put" else {}
        _check_values(item)
        total += item_size(item) + item_size(action.get("ExpressionAttributeValues") or {})
    if total > MAX_TRANSACTION:
        raise invalid("Transaction request exceeds the 4MB transaction size limit")
    keys, reasons = [], []
    for kind, action, parsed in actions:
        table = tables(action["TableName"])
        key = _key_of(table, action["Item"]) if kind == "Put" else action["Key"]
        keys.append((action["TableName"], key))
        _check_changed(parsed, table)
        reasons.append(
            _reason(table.check_item if kind == "Put" else table.check_key, action["Item" if kind == "Put" else "Key"])
        )
    _finish_transaction(keys, reasons)


def _transact_get(request: Request, tables: Tables) -> None:
    keys, reasons = [], []
    for _, action in _actions(request, ("Get",)):
        expressions(action)
        keys.append((action["TableName"], action["Key"]))
        reasons.append(_reason(tables(action["TableName"]).check_key, action["Key"]))
    _finish_transaction(keys, reasons)


_RULES: dict[str, Callable[[Request, Tables], None]] = {
    "PutItem": _put, "GetItem": _by_key, "DeleteItem": _by_key, "UpdateItem": _by_key, "Query": _query, "Scan": _scan,
    "BatchWriteItem": _batch_write, "BatchGetItem": _batch_get,
    "TransactWriteItems": _transact_write, "TransactGetItems": _transact_get,
}  # fmt: skip


def _check_values(item: Item) -> None:
    check_all(item.values())
    if item_size(item) > MAX_ITEM:
        raise invalid(TOO_LARGE)


def _check_changed(parsed: Expressions, table: Table) -> None:
    for path in parsed.changed:
        if path[0] in table.keys.types:
            raise wrong(f"Cannot update attribute {path[0]}. This attribute is part of the key")


def _check_limit(request: Request) -> None:
    if (limit := request.get("Limit")) is not None and limit < 1:
        raise unmet(limit, "limit", "Member must have value greater than or equal to 1")


def _batches(request: Request) -> Mapping[str, Any]:
    batches: Mapping[str, Any] = request.get("RequestItems") or {}
    if not batches:
        raise unmet("{}", "requestItems", "Member must have length greater than or equal to 1")
    return batches


def _actions(request: Request, kinds: Iterable[str]) -> Iterator[tuple[str, Any]]:
    actions = request.get("TransactItems") or []
    if not actions:
        raise unmet("[]", "transactItems", "Member must have length greater than or equal to 1")
    if len(actions) > MAX_ACTIONS:
        raise unmet("[…]", "transactItems", "Member must have length less than or equal to 100")
    for one in actions:
        held = [kind for kind in kinds if kind in one]
        if len(held) != 1:
            raise invalid("TransactItems can only contain one of Check, Put, Update or Delete")
        yield held[0], one[held[0]]


def _reason(rule: Callable[[Item], None], item: Item) -> dict[str, Any]:
    try:
        rule(item)
    except Answer as refusal:
        return {"Code": "ValidationError", "Message": message_of(refusal)}
    return {"Code": "None"}


def _finish_transaction(keys: list[tuple[str, Item]], reasons: list[dict[str, Any]]) -> None:
    _check_once(keys, "Transaction request cannot include multiple operations on one item")
    if any(reason["Code"] != "None" for reason in reasons):
        raise cancelled(reasons)


def _key_of(table: Table, item: Item) -> Item:
    return {name: item[name] for name in table.keys.types if name in item}


def _check_once(keys: Iterable[object], message: str) -> None:
    texts = [json.dumps(key, sort_keys=True) for key in keys]
    if len(set(texts)) < len(texts):
        raise invalid(message)
