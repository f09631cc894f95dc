"""Queries, scans, and where they begin."""

from tests.emulators.dynamodb.row import API, GUIDE, INVALID, KB, Row, key, n, on, put, s

QUERY, SCAN = API + "API_Query.html", API + "API_Scan.html"
CONDITION = GUIDE + "Query.KeyConditionExpressions.html"
KEY = "Invalid KeyConditionExpression: "
OUTSIDE = "The provided starting key is outside query boundaries based on provided conditions"
PREDICATE = "The provided starting key does not match the range key predicate"
OBSERVED = "not documented; as seen on AWS by https://github.com/architect/dynalite/blob/main/test/query.js"
PAGE = GUIDE + "Query.Pagination.html"


def _query(expression, values, **more):
    return on(KeyConditionExpression=expression, ExpressionAttributeValues=values, **more)


P, PI = {":p": s("reads")}, {":p": s("reads"), ":i": s("b")}
IN_G = {":h": s("h")}

QUERIES = [
    Row("a query names the partition", CONDITION, "Query", _query("i = :i", {":i": s("b")}), INVALID,
        "Query condition missed key schema element: p"),
    Row("a query's partition is equal", CONDITION, "Query", _query("p > :p", P), INVALID,
        "Query key condition not supported"),
    Row("a query has conditions of keys", CONDITION, "Query", _query("p = :p AND a = :i", PI), INVALID,
        "Query condition missed key schema element: i"),
    Row("a query has no OR", CONDITION, "Query", _query("p = :p OR i = :i", PI), INVALID,
        KEY + "Invalid operator used in KeyConditionExpression: OR"),
    Row("a query has no NOT", CONDITION, "Query", _query("p = :p AND NOT i = :i", PI), INVALID,
        KEY + "Invalid operator used in KeyConditionExpression: NOT"),
    Row("a query has no <>", CONDITION, "Query", _query("p = :p AND i <> :i", PI), INVALID,
        KEY + "Invalid operator used in KeyConditionExpression: <>"),
    Row("a query has no IN", CONDITION, "Query", _query("p = :p AND i IN (:i)", PI), INVALID,
        KEY + "Invalid operator used in KeyConditionExpression: IN"),
    Row("a query has no contains", CONDITION, "Query", _query("p = :p AND contains(i, :i)", PI), INVALID,
        KEY + "Invalid operator used in KeyConditionExpression: contains"),
    Row("a query has one condition a key", CONDITION, "Query",
        _query("p = :p AND i > :i AND i < :j", PI | {":j": s("c")}), INVALID,
        KEY + "KeyConditionExpressions must only contain one condition per key"),
    Row("a query's BETWEEN is the right way round", CONDITION, "Query",
        _query("p = :p AND i BETWEEN :i AND :j", PI | {":j": s("a")}), INVALID,
        KEY + "The BETWEEN operator requires upper bound to be greater than or equal to lower bound"),
    Row("a query's value has the key's type", CONDITION, "Query", _query("p = :p AND i = :i", P | {":i": n(1)}), INVALID,
        "One or more parameter values were invalid: Condition parameter type does not match schema type"),
    Row("a query's value is not empty", GUIDE + "HowItWorks.NamingRulesDataTypes.html", "Query", _query("p = :p", {":p": s("")}),
        INVALID, "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an"
        " empty string value. Key: p"),
    Row("a query has a condition", QUERY, "Query", on(), INVALID,
        "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."),
    Row("a query's condition is not empty", CONDITION, "Query", on(KeyConditionExpression=""), INVALID,
        KEY + "The expression can not be empty;"),
    Row("a query's value is given", CONDITION, "Query", on(KeyConditionExpression="p = :p"), INVALID,
        KEY + "An expression attribute value used in expression is not defined; attribute value: :p"),
    Row("a query's value is used", CONDITION, "Query", _query("p = :p", PI), INVALID,
        "Value provided in ExpressionAttributeValues unused in expressions: keys: {:i}"),
    Row("a query's filter leaves the keys", GUIDE + "Query.FilterExpression.html", "Query",
        _query("p = :p", PI, FilterExpression="i = :i"), INVALID,
        "Filter Expression can only contain non-primary key attributes: Primary key attribute: i"),
    Row("a query's limit is above 0", QUERY, "Query", _query("p = :p", P, Limit=0), INVALID),
    Row("a query's index is there", QUERY, "Query", _query("p = :p", P, IndexName="none"), INVALID,
        "The table does not have the specified index: none"),
    Row("a global index has no consistent read", QUERY, "Query", _query("h = :h", IN_G, IndexName="global", ConsistentRead=True),
        INVALID, "Consistent reads are not supported on global secondary indexes"),
    Row("a local index has consistent reads", QUERY, "Query", _query("p = :p", P, IndexName="local", ConsistentRead=True)),
    Row("a key condition may be in parentheses", CONDITION, "Query", _query("(p = :p) and (begins_with(i, :i))", PI)),
    Row("a query's name may stand for a key", CONDITION, "Query",
        _query("#p = :p", P, ExpressionAttributeNames={"#p": "p"})),
    Row("a query's page has 1 MB", PAGE, "Query", _query("p = :p", {":p": s("page")}, ConsistentRead=True),
        answer={"Count": 2, "LastEvaluatedKey": key("page", "1")},
        before=tuple(put("page", str(m), a=s("x" * 350 * KB)) for m in range(4))),
    Row("a query's limit counts before its filter", QUERY, "Query",
        _query("p = :p", P | {":p": s("limit"), ":a": n(2)}, Limit=1, FilterExpression="a = :a", ConsistentRead=True),
        answer={"Count": 0, "ScannedCount": 1, "LastEvaluatedKey": key("limit", "1")},
        before=(put("limit", "1", a=n(1)), put("limit", "2", a=n(2)))),
]  # fmt: skip

STARTS = [
    Row("a start in the range", QUERY, "Query", _query("p = :p AND i > :i", PI, ExclusiveStartKey=key("reads", "c"))),
    Row("a start that is not there", QUERY, "Query", _query("p = :p", P, ExclusiveStartKey=key("reads", "nothing"))),
    Row("a start on the range's bound", OBSERVED, "Query",
        _query("p = :p AND i <= :i", PI, ExclusiveStartKey=key("reads", "b"))),
    Row("a start is in the partition", OBSERVED, "Query", _query("p = :p", P, ExclusiveStartKey=key("other")), INVALID,
        OUTSIDE),
    Row("a start is in the range", OBSERVED, "Query",
        _query("p = :p AND i > :i", PI, ExclusiveStartKey=key("reads", "a")), INVALID, PREDICATE),
    Row("a start is in the range to BETWEEN", OBSERVED, "Query",
        _query("p = :p AND i BETWEEN :i AND :j", PI | {":j": s("d")}, ExclusiveStartKey=key("reads", "e")), INVALID,
        PREDICATE),
    Row("a start has the prefix", OBSERVED, "Query",
        _query("p = :p AND begins_with(i, :i)", PI, ExclusiveStartKey=key("reads", "c")), INVALID, PREDICATE),
    Row("a start is what a condition equals", OBSERVED, "Query",
        _query("p = :p AND i = :i", PI, ExclusiveStartKey=key("reads", "a")), INVALID, PREDICATE),
    Row("a start in an index is in its range", OBSERVED, "Query",
        _query("h = :h AND r > :r", IN_G | {":r": n(5)}, IndexName="global",
               ExclusiveStartKey=key("reads") | {"h": s("h"), "r": n(5)}), INVALID, PREDICATE),
    Row("a start in an index", OBSERVED, "Query",
        _query("h = :h AND r > :r", IN_G | {":r": n(5)}, IndexName="global",
               ExclusiveStartKey=key("reads") | {"h": s("h"), "r": n(10)})),
    Row("a query's start is a whole key", OBSERVED, "Query", _query("p = :p", P, ExclusiveStartKey={"p": s("reads")}),
        INVALID, "The provided starting key is invalid"),
    Row("a query's start has nothing more", OBSERVED, "Query",
        _query("p = :p", P, ExclusiveStartKey=key("reads") | {"x": s("1")}), INVALID,
        "The provided starting key is invalid"),
    Row("a query's start has the key's types", OBSERVED, "Query",
        _query("p = :p", P, ExclusiveStartKey={"p": s("reads"), "i": n(1)}), INVALID,
        "The provided starting key is invalid"),
    Row("a start in an index has the index' keys", OBSERVED, "Query",
        _query("h = :h", IN_G, IndexName="global", ExclusiveStartKey=key("reads")), INVALID,
        "The provided starting key is invalid"),
    Row("a scan's start is a whole key", OBSERVED, "Scan", on(ExclusiveStartKey={"p": s("reads")}), INVALID,
        "The provided starting key is invalid: The provided key element does not match the schema"),
    Row("a scan's start has the key's types", OBSERVED, "Scan", on(ExclusiveStartKey={"p": s("reads"), "i": n(1)}), INVALID,
        "The provided starting key is invalid: The provided key element does not match the schema"),
]  # fmt: skip

SCANS = [
    Row("a scan's filter names keys", SCAN, "Scan", on(
        FilterExpression="begins_with(p, :p)", ExpressionAttributeValues={":p": s("nothing")}), answer={"Count": 0}),
    Row("a scan's limit is above 0", SCAN, "Scan", on(Limit=0), INVALID),
    Row("a scan's segment has a number of all", SCAN, "Scan", on(Segment=0), INVALID,
        "The TotalSegments parameter is required but was not present in the request when Segment parameter is present"),
    Row("a scan's number of segments has one", SCAN, "Scan", on(TotalSegments=2), INVALID,
        "The Segment parameter is required but was not present in the request when parameter TotalSegments is present"),
    Row("a scan's segment is below the number", SCAN, "Scan", on(Segment=2, TotalSegments=2), INVALID,
        "The Segment parameter is zero-based and must be less than parameter TotalSegments"),
    Row("a scan of a global index is not consistent", SCAN, "Scan", on(IndexName="global", ConsistentRead=True), INVALID,
        "Consistent reads are not supported on global secondary indexes"),
    Row("a scan's name is no reserved word", GUIDE + "ReservedWords.html", "Scan", on(
        FilterExpression="status = :v", ExpressionAttributeValues={":v": n(1)}), INVALID,
        "Invalid FilterExpression: Attribute name is a reserved keyword; reserved keyword: status"),
    Row("a count has no projection", QUERY, "Scan", on(Select="COUNT", ProjectionExpression="a"), INVALID,
        "Cannot specify the ProjectionExpression when choosing to get only the Count"),
]  # fmt: skip
