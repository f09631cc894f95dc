"""Batches and transactions."""

from tests.emulators.dynamodb.row import API, GUIDE, INVALID, KB, TABLE, Row, key, n, on, put, s

WRITE, READ = API + "API_BatchWriteItem.html", API + "API_BatchGetItem.html"
TRANSACT, TRANSACT_READ = API + "API_TransactWriteItems.html", API + "API_TransactGetItems.html"
IDEMPOTENCY = GUIDE + "transaction-apis.html"
WRONG = "One or more parameter values were invalid: "
SCHEMA = "The provided key element does not match the schema"
CANCELLED = "TransactionCanceledException"
WHY = "Transaction cancelled, please refer cancellation reasons for specific reasons "


def _write(*items):
    return {"RequestItems": {TABLE: [{"PutRequest": {"Item": one}} for one in items]}}


def _read(*keys, **more):
    return {"RequestItems": {TABLE: {"Keys": list(keys), **more}}}


def _all(*actions, **more):
    return {"TransactItems": list(actions), **more}


def _put(i, condition=None, **attributes):
    item = on(Item=key("transactions", i) | attributes)
    return {"Put": item | ({"ConditionExpression": condition} if condition else {})}


def _check(i, condition="attribute_not_exists(p)", **more):
    return {"ConditionCheck": on(Key=key("transactions", i), ConditionExpression=condition, **more)}


def _get(i):
    return {"Get": on(Key=key("transactions", i))}


BATCHES = [
    Row("a batch writes 25 items", WRITE, "BatchWriteItem", _write(*(key("batch", str(m)) for m in range(25)))),
    Row("a batch writes no more", WRITE, "BatchWriteItem", _write(*(key("batch", str(m)) for m in range(26))), INVALID,
        "1 validation error detected: Value '"),
    Row("a batch writes something", WRITE, "BatchWriteItem", {"RequestItems": {}}, INVALID,
        "1 validation error detected: Value '{}' at 'requestItems' failed to satisfy constraint:"
        " Member must have length greater than or equal to 1"),
    Row("a batch writes an item once", WRITE, "BatchWriteItem", _write(key("batch"), key("batch") | {"a": n(1)}), INVALID,
        "Provided list of item keys contains duplicates"),
    Row("a batch's item has its key", WRITE, "BatchWriteItem", _write({"p": s("batch")}), INVALID, SCHEMA),
    Row("a batch's item has 400 KB", WRITE, "BatchWriteItem", _write(key("batch") | {"a": s("x" * 400 * KB)}), INVALID,
        "Item size has exceeded the maximum allowed size"),
    Row("a batch's values are right", WRITE, "BatchWriteItem", _write(key("batch") | {"a": {"SS": []}}), INVALID,
        WRONG + "An string set  may not be empty"),
    Row("a batch deletes by the whole key", WRITE, "BatchWriteItem",
        {"RequestItems": {TABLE: [{"DeleteRequest": {"Key": {"p": s("batch")}}}]}}, INVALID, SCHEMA),
    Row("a batch's table is there", WRITE, "BatchWriteItem",
        {"RequestItems": {"nowhere": [{"PutRequest": {"Item": key("batch")}}]}}, "ResourceNotFoundException",
        "Requested resource not found"),
    Row("a batch reads 100 items", READ, "BatchGetItem", _read(*(key("none", str(m)) for m in range(100))),
        answer={"UnprocessedKeys": {}}),
    Row("a batch reads no more", READ, "BatchGetItem", _read(*(key("none", str(m)) for m in range(101))), INVALID),
    Row("a batch reads an item once", READ, "BatchGetItem", _read(key("none"), key("none")), INVALID,
        "Provided list of item keys contains duplicates"),
    Row("a batch reads something", READ, "BatchGetItem", {"RequestItems": {}}, INVALID,
        "1 validation error detected: Value '{}' at 'requestItems' failed to satisfy constraint:"
        " Member must have length greater than or equal to 1"),
    Row("a batch reads by the whole key", READ, "BatchGetItem", _read({"p": s("none")}), INVALID, SCHEMA),
    Row("a batch's answer has 16 MB", READ, "BatchGetItem",
        _read(*(key("large", str(m)) for m in range(45)), ConsistentRead=True),
        answer={"UnprocessedKeys": {TABLE: {"Keys": [key("large", str(m)) for m in range(42, 45)], "ConsistentRead": True}}},
        before=tuple(put("large", str(m), a=s("x" * 390 * KB)) for m in range(45))),
]  # fmt: skip

TRANSACTIONS = [
    Row("a transaction writes 100 items", TRANSACT, "TransactWriteItems", _all(*(_put(str(m)) for m in range(100)))),
    Row("a transaction writes no more", TRANSACT, "TransactWriteItems", _all(*(_put(str(m)) for m in range(101))), INVALID,
        "1 validation error detected: Value '["),
    Row("a transaction writes something", TRANSACT, "TransactWriteItems", _all(), INVALID,
        "1 validation error detected: Value '[]' at 'transactItems' failed to satisfy constraint:"
        " Member must have length greater than or equal to 1"),
    Row("a transaction has an item once", TRANSACT, "TransactWriteItems", _all(_put("1"), _check("1")), INVALID,
        "Transaction request cannot include multiple operations on one item"),
    Row("a transaction has 4 MB", TRANSACT, "TransactWriteItems",
        _all(*(_put(str(m), a=s("x" * 390 * KB)) for m in range(11))), INVALID),
    Row("a transaction's action is one", TRANSACT, "TransactWriteItems",
        _all(_put("1") | _check("2")), INVALID,
        "TransactItems can only contain one of Check, Put, Update or Delete"),
    Row("a transaction's item has its key", TRANSACT, "TransactWriteItems", _all({"Put": on(Item={"p": s("1")})}),
        CANCELLED, WHY + "[ValidationError]",
        {"CancellationReasons": [{"Code": "ValidationError", "Message": WRONG + "Missing the key i in the item"}]}),
    Row("a transaction's key is whole", TRANSACT, "TransactWriteItems",
        _all(_put("1"), {"Delete": on(Key={"p": s("1")})}), CANCELLED, WHY + "[None, ValidationError]"),
    Row("a transaction's item has 400 KB", TRANSACT, "TransactWriteItems", _all(_put("1", a=s("x" * 400 * KB))), INVALID,
        "Item size has exceeded the maximum allowed size"),
    Row("a transaction's value is given", TRANSACT, "TransactWriteItems", _all(_check("1", "a = :v")), INVALID,
        "Invalid ConditionExpression: An expression attribute value used in expression is not defined"),
    Row("a transaction's value is used", TRANSACT, "TransactWriteItems",
        _all(_check("1", ExpressionAttributeValues={":v": n(1)})), INVALID,
        "Value provided in ExpressionAttributeValues unused in expressions: keys: {:v}"),
    Row("a transaction's name is no reserved word", TRANSACT, "TransactWriteItems",
        _all(_check("1", "attribute_exists(status)")), INVALID,
        "Invalid ConditionExpression: Attribute name is a reserved keyword; reserved keyword: status"),
    Row("a transaction leaves the key", TRANSACT, "TransactWriteItems",
        _all({"Update": on(Key=key("transactions"), UpdateExpression="SET p = :v", ExpressionAttributeValues={":v": s("")})}),
        INVALID),
    Row("a transaction's table is there", TRANSACT, "TransactWriteItems",
        _all({"Delete": {"TableName": "nowhere", "Key": key("1")}}), "ResourceNotFoundException",
        "Requested resource not found"),
    Row("a cancellation has a reason for each, in order", TRANSACT, "TransactWriteItems",
        _all(_put("new"), _check("old"), _put("old-2", "attribute_not_exists(p)")), CANCELLED,
        WHY + "[None, ConditionalCheckFailed, ConditionalCheckFailed]",
        {"CancellationReasons": [{"Code": "None"}, {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"},
                                 {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"}]},
        (put("transactions", "old"), put("transactions", "old-2"))),
    Row("a cancelled transaction wrote nothing", TRANSACT, "GetItem",
        on(Key=key("transactions", "not-written"), ConsistentRead=True), before=(
            put("transactions", "in-the-way"),
            ("TransactWriteItems", _all(_put("not-written"), _check("in-the-way"))))),
    Row("a cancellation gives the item", TRANSACT, "TransactWriteItems",
        _all(_check("old", ReturnValuesOnConditionCheckFailure="ALL_OLD")), CANCELLED, WHY,
        {"CancellationReasons": [{"Code": "ConditionalCheckFailed", "Item": key("transactions", "old")}]},
        (put("transactions", "old"),)),
    Row("a token again does it once", IDEMPOTENCY, "TransactWriteItems",
        _all(_put("once", "attribute_not_exists(p)"), ClientRequestToken="TABLE-once"),
        before=(("TransactWriteItems", _all(_put("once", "attribute_not_exists(p)"), ClientRequestToken="TABLE-once")),)),
    Row("a token of another request", IDEMPOTENCY, "TransactWriteItems",
        _all(_put("twice"), ClientRequestToken="TABLE-twice"), "IdempotentParameterMismatchException",
        before=(("TransactWriteItems", _all(_put("thrice"), ClientRequestToken="TABLE-twice")),)),
    Row("a token of a cancelled request is free", IDEMPOTENCY, "TransactWriteItems",
        _all(_put("free"), ClientRequestToken="TABLE-free"),
        before=(put("transactions", "taken"),
                ("TransactWriteItems", _all(_put("taken", "attribute_not_exists(p)"), ClientRequestToken="TABLE-free")))),
    Row("a token has 36 characters", TRANSACT, "TransactWriteItems", _all(_put("1"), ClientRequestToken="t" * 37), INVALID),
    Row("a transaction reads no more than 100", TRANSACT_READ, "TransactGetItems", _all(*(_get(str(m)) for m in range(101))),
        INVALID, "1 validation error detected: Value '["),
    Row("a transaction reads an item once", TRANSACT_READ, "TransactGetItems", _all(_get("1"), _get("1")), INVALID,
        "Transaction request cannot include multiple operations on one item"),
    Row("a transaction reads by the whole key", TRANSACT_READ, "TransactGetItems",
        _all({"Get": on(Key={"p": s("1")})}), CANCELLED, WHY + "[ValidationError]"),
    Row("a transaction reads in order", TRANSACT_READ, "TransactGetItems", _all(_get("nothing"), _get("something")),
        answer={"Responses": [{}, {"Item": key("transactions", "something")}]}, before=(put("transactions", "something"),)),
]  # fmt: skip
