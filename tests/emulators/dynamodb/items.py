"""Keys, values and sizes of items."""

from tests.emulators.dynamodb.row import API, GUIDE, INVALID, KB, Row, key, n, on, put, s

QUOTAS = GUIDE + "Constraints.html"
TYPES = GUIDE + "HowItWorks.NamingRulesDataTypes.html"
VALUE = API + "API_AttributeValue.html"
WRONG = "One or more parameter values were invalid: "
EMPTY_KEY = (
    "One or more parameter values are not valid. "
    "The AttributeValue for a key attribute cannot contain an empty string value."
)
SCHEMA = "The provided key element does not match the schema"


def _item(**attributes):
    return on(Item=key("items") | attributes)


def _nested(levels):
    value = s("leaf")
    for _ in range(levels - 1):
        value = {"L": [value]}
    return value


KEYS = [
    Row("an item has its partition key", API + "API_PutItem.html", "PutItem", on(Item={"i": s("1")}), INVALID,
        WRONG + "Missing the key p in the item"),
    Row("an item has its sort key", API + "API_PutItem.html", "PutItem", on(Item={"p": s("1")}), INVALID,
        WRONG + "Missing the key i in the item"),
    Row("an item's key has the schema's type", API + "API_PutItem.html", "PutItem", on(Item={"p": s("1"), "i": n(1)}),
        INVALID, WRONG + "Type mismatch for key i expected: S actual: N"),
    Row("an item's partition key is not empty", TYPES, "PutItem", on(Item=key("")), INVALID, EMPTY_KEY + " Key: p"),
    Row("an item's sort key is not empty", TYPES, "PutItem", on(Item=key("p", "")), INVALID, EMPTY_KEY + " Key: i"),
    Row("an item's partition key has 2,048 bytes", QUOTAS, "PutItem", on(Item=key("p" * 2048))),
    Row("an item's partition key has no more", QUOTAS, "PutItem", on(Item=key("é" * 1024 + "p")), INVALID,
        WRONG + "Aggregated size of all hash keys has exceeded the size limit of 2048 bytes"),
    Row("an item's sort key has 1,024 bytes", QUOTAS, "PutItem", on(Item=key("p", "i" * 1024))),
    Row("an item's sort key has no more", QUOTAS, "PutItem", on(Item=key("p", "é" * 512 + "i")), INVALID,
        WRONG + "Aggregated size of all range keys has exceeded the size limit of 1024 bytes"),
    Row("a read's key is whole", API + "API_GetItem.html", "GetItem", on(Key={"p": s("1")}), INVALID, SCHEMA),
    Row("a read's key has nothing more", API + "API_GetItem.html", "GetItem", on(Key=key("1") | {"x": s("1")}), INVALID,
        SCHEMA),
    Row("a read's key has the schema's types", API + "API_GetItem.html", "GetItem", on(Key={"p": n(1), "i": s("1")}),
        INVALID, SCHEMA),
    Row("a read's key is not empty", TYPES, "GetItem", on(Key=key("")), INVALID, EMPTY_KEY + " Key: p"),
    Row("a deletion's key is whole", API + "API_DeleteItem.html", "DeleteItem", on(Key={"p": s("1")}), INVALID, SCHEMA),
    Row("a deletion's key is not empty", TYPES, "DeleteItem", on(Key=key("1", "")), INVALID, EMPTY_KEY + " Key: i"),
    Row("an update's key is whole", API + "API_UpdateItem.html", "UpdateItem", on(Key={"p": s("1")}), INVALID, SCHEMA),
    Row("an update's key is short", QUOTAS, "UpdateItem", on(Key=key("p" * 2049)), INVALID,
        WRONG + "Aggregated size of all hash keys has exceeded the size limit of 2048 bytes"),
    Row("an index' key has the index' type", GUIDE + "GSI.html", "PutItem", _item(h=n(1)), INVALID,
        WRONG + "Type mismatch for Index Key h Expected: S Actual: N IndexName: global"),
    Row("an index' key is not empty", TYPES, "PutItem", _item(h=s(""), r=n(1)), INVALID,
        "One or more parameter values are not valid. A value specified for a secondary index key is not supported."
        " The AttributeValue for a key attribute cannot contain an empty string value. IndexName: global, IndexKey: h"),
    Row("a put has an item", API + "API_PutItem.html", "PutItem", on(), INVALID,
        "1 validation error detected: Value null at 'item' failed to satisfy constraint: Member must not be null"),
    Row("a table that is not there", API + "API_GetItem.html", "GetItem", {"TableName": "nowhere", "Key": key("1")},
        "ResourceNotFoundException", "Requested resource not found"),
]  # fmt: skip

VALUES = [
    Row("a value has a type", VALUE, "PutItem", _item(a={}), INVALID,
        "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"),
    Row("a value has one type", VALUE, "PutItem", _item(a={"S": "1", "N": "1"}), INVALID,
        "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"),
    Row("a value has a known type", VALUE, "PutItem", _item(a={"X": "1"}), INVALID,
        "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"),
    Row("text can be empty", TYPES, "PutItem", _item(a=s(""), b={"B": ""})),
    Row("a null is true", VALUE, "PutItem", _item(a={"NULL": False}), INVALID,
        WRONG + "Null attribute value types must have the value of true"),
    Row("a number is one", TYPES, "PutItem", _item(a=n("abc")), INVALID,
        "The parameter cannot be converted to a numeric value: abc"),
    Row("a number is not empty", TYPES, "PutItem", _item(a=n("")), INVALID,
        "The parameter cannot be converted to a numeric value"),
    Row("a number is finite", TYPES, "PutItem", _item(a=n("NaN")), INVALID,
        "The parameter cannot be converted to a numeric value: NaN"),
    Row("a number has 38 digits", TYPES, "PutItem", _item(a=n("1" * 38))),
    Row("a number has no more digits", TYPES, "PutItem", _item(a=n("1" * 39)), INVALID,
        "Attempting to store more than 38 significant digits in a Number"),
    Row("a number in a list has no more digits", TYPES, "PutItem", _item(a={"L": [n("1" * 39)]}), INVALID,
        "Attempting to store more than 38 significant digits in a Number"),
    Row("a number is below 1E126", TYPES, "PutItem", _item(a=n("1E126")), INVALID, "Number overflow."),
    Row("a number is not below 1E-130", TYPES, "PutItem", _item(a=n("1E-131")), INVALID, "Number underflow."),
    Row("a number's largest", TYPES, "PutItem", _item(a=n("9.9999999999999999999999999999999999999E+125"))),
    Row("a set of text is not empty", TYPES, "PutItem", _item(a={"SS": []}), INVALID,
        WRONG + "An string set  may not be empty"),
    Row("a set of numbers is not empty", TYPES, "PutItem", _item(a={"NS": []}), INVALID,
        WRONG + "An number set  may not be empty"),
    Row("a set of bytes is not empty", TYPES, "PutItem", _item(a={"BS": []}), INVALID,
        WRONG + "Binary sets should not be empty"),
    Row("a set within a map is not empty", TYPES, "PutItem", _item(a={"M": {"b": {"SS": []}}}), INVALID,
        WRONG + "An string set  may not be empty"),
    Row("a set has each text once", TYPES, "PutItem", _item(a={"SS": ["a", "a"]}), INVALID,
        WRONG + "Input collection ["),
    Row("a set has each number once", TYPES, "PutItem", _item(a={"NS": ["1", "1.0"]}), INVALID,
        WRONG + "Input collection contains duplicates"),
    Row("a set has each bytes once", TYPES, "PutItem", _item(a={"BS": ["AA==", "AA=="]}), INVALID,
        WRONG + "Input collection ["),
    Row("a set's number is one", TYPES, "PutItem", _item(a={"NS": ["x"]}), INVALID,
        "The parameter cannot be converted to a numeric value: x"),
    Row("a value has 32 levels", QUOTAS, "PutItem", _item(a=_nested(32))),
    Row("a value has no more levels", QUOTAS, "PutItem", _item(a=_nested(34)), INVALID,
        "Nesting Levels have exceeded supported limits"),
    Row("an expression's value is right, too", TYPES, "PutItem", on(
        Item=key("items"), ConditionExpression="a <> :a", ExpressionAttributeValues={":a": {"SS": []}}), INVALID,
        "ExpressionAttributeValues contains invalid value: " + WRONG + "An string set  may not be empty for key :a"),
]  # fmt: skip

FULL = 400 * KB - len("p" + "items" + "i" + "1" + "a")
SIZES = [
    Row("an item has 400 KB", QUOTAS, "PutItem", _item(a=s("x" * FULL))),
    Row("an item has no more", QUOTAS, "PutItem", _item(a=s("x" * (FULL + 1))), INVALID,
        "Item size has exceeded the maximum allowed size"),
    Row("an item's size is in UTF-8, its names count", QUOTAS, "PutItem", _item(**{"a" * 1000: s("é" * (200 * KB - 500))}),
        INVALID, "Item size has exceeded the maximum allowed size"),
    Row("an update leaves an item of 400 KB", QUOTAS, "UpdateItem", on(
        Key=key("items", "update"), UpdateExpression="SET b = :b", ExpressionAttributeValues={":b": s("x" * 200 * KB)}),
        INVALID, "Item size to update has exceeded the maximum allowed size",
        before=(put("items", "update", a=s("x" * 250 * KB)),)),
]  # fmt: skip
