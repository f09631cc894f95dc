"""Expressions: names, values, words, paths and sizes."""

from tests.emulators.dynamodb.row import API, GUIDE, INVALID, KB, Row, key, n, on, put, s

NAMES = GUIDE + "Expressions.ExpressionAttributeNames.html"
VALUES = GUIDE + "Expressions.ExpressionAttributeValues.html"
WORDS = GUIDE + "ReservedWords.html"
CONDITIONS = GUIDE + "Expressions.OperatorsAndFunctions.html"
UPDATES = GUIDE + "Expressions.UpdateExpressions.html"
QUOTAS = GUIDE + "Constraints.html"
CONDITION, UPDATE = "Invalid ConditionExpression: ", "Invalid UpdateExpression: "


def _when(expression, values=None, names=None, **more):
    arguments = on(Key=key("expressions"), ConditionExpression=expression, **more)
    return arguments | _known(values, names)


def _update(expression, values=None, names=None, **more):
    return on(Key=key("expressions"), UpdateExpression=expression, **more) | _known(values, names)


def _known(values, names):
    request = {} if values is None else {"ExpressionAttributeValues": values}
    return request if names is None else request | {"ExpressionAttributeNames": names}


ONE = {":v": n(1)}
CONDITIONAL = [
    Row("a value that is used is given", VALUES, "DeleteItem", _when("a = :v"), INVALID,
        CONDITION + "An expression attribute value used in expression is not defined; attribute value: :v"),
    Row("a value that is given is used", VALUES, "DeleteItem", _when("a = :v", ONE | {":w": n(1)}), INVALID,
        "Value provided in ExpressionAttributeValues unused in expressions: keys: {:w}"),
    Row("a name that is used is given", NAMES, "DeleteItem", _when("#a = :v", ONE), INVALID,
        CONDITION + "An expression attribute name used in the document path is not defined; attribute name: #a"),
    Row("a name that is given is used", NAMES, "DeleteItem", _when("a = :v", ONE, {"#a": "a"}), INVALID,
        "Value provided in ExpressionAttributeNames unused in expressions: keys: {#a}"),
    Row("values are not empty", VALUES, "DeleteItem", _when("attribute_exists(a)", {}), INVALID,
        "ExpressionAttributeValues must not be empty"),
    Row("names are not empty", NAMES, "DeleteItem", _when("attribute_exists(a)", None, {}), INVALID,
        "ExpressionAttributeNames must not be empty"),
    Row("values come with an expression", VALUES, "DeleteItem", on(Key=key("1"), ExpressionAttributeValues=ONE), INVALID,
        "ExpressionAttributeValues can only be specified when using expressions"),
    Row("names come with an expression", NAMES, "DeleteItem", on(Key=key("1"), ExpressionAttributeNames={"#a": "a"}),
        INVALID, "ExpressionAttributeNames can only be specified when using expressions"),
    Row("a value's name begins with a colon", VALUES, "DeleteItem", _when("a = :v", {"v": n(1)}), INVALID,
        'ExpressionAttributeValues contains invalid key: Syntax error; key: "v"'),
    Row("a name's name begins with a number sign", NAMES, "DeleteItem", _when("a = :v", ONE, {"a": "a"}), INVALID,
        'ExpressionAttributeNames contains invalid key: Syntax error; key: "a"'),
    Row("an expression is not empty", CONDITIONS, "DeleteItem", _when(""), INVALID,
        CONDITION + "The expression can not be empty;"),
    Row("a reserved word is no name", WORDS, "DeleteItem", _when("status = :v", ONE), INVALID,
        CONDITION + "Attribute name is a reserved keyword; reserved keyword: status"),
    Row("a reserved word is no name after a dot", WORDS, "DeleteItem", _when("a.size = :v", ONE), INVALID,
        CONDITION + "Attribute name is a reserved keyword; reserved keyword: size"),
    Row("an expression is one", CONDITIONS, "DeleteItem", _when("a = = :v", ONE), INVALID,
        CONDITION + 'Syntax error; token: "="'),
    Row("an expression ends", CONDITIONS, "DeleteItem", _when("a = :v AND", ONE), INVALID,
        CONDITION + "Syntax error; token: "),
    Row("a path is no condition", CONDITIONS, "DeleteItem", _when("a"), INVALID, CONDITION + "Syntax error; token: "),
    Row("a function is known", CONDITIONS, "DeleteItem", _when("exists(a)"), INVALID,
        CONDITION + "Invalid function name; function: exists"),
    Row("a function has its number of operands", CONDITIONS, "DeleteItem", _when("attribute_exists(a, b)"), INVALID,
        CONDITION + "Incorrect number of operands for operator or function; operator or function: attribute_exists,"
        " number of operands: 2"),
    Row("a function's operand is a path", CONDITIONS, "DeleteItem", _when("attribute_exists(:v)", ONE), INVALID,
        CONDITION + "Operator or function requires a document path; operator or function: attribute_exists"),
    Row("a function's operand has its type", CONDITIONS, "DeleteItem", _when("begins_with(a, :v)", ONE), INVALID,
        CONDITION + "Incorrect operand type for operator or function; operator or function: begins_with, operand type: N"),
    Row("a size is no condition", CONDITIONS, "DeleteItem", _when("size(a)"), INVALID,
        CONDITION + "The function is not allowed to be used this way in an expression; function: size"),
    Row("an update's function is no condition's", CONDITIONS, "DeleteItem", _when("if_not_exists(a, :v) = :v", ONE),
        INVALID, CONDITION + "The function is not allowed in a condition expression; function: if_not_exists"),
    Row("a comparison has two operands", CONDITIONS, "DeleteItem", _when("a = a"), INVALID,
        CONDITION + "The first operand must be distinct from the remaining operands for this operator or function;"
        " operator: =, first operand: [a]"),
    Row("a BETWEEN is the right way round", CONDITIONS, "DeleteItem",
        _when("a BETWEEN :v AND :u", ONE | {":u": n(0)}), INVALID,
        CONDITION + "The BETWEEN operator requires upper bound to be greater than or equal to lower bound"),
    Row("parentheses are needed", CONDITIONS, "DeleteItem", _when("((a = :v))", ONE), INVALID,
        CONDITION + "The expression has redundant parentheses;"),
    Row("parentheses of a group are needed once", CONDITIONS, "DeleteItem", _when("((a = :v AND b = :v))", ONE), INVALID,
        CONDITION + "The expression has redundant parentheses;"),
    Row("parentheses of several parts", CONDITIONS, "DeleteItem",
        _when("((a <> :v AND NOT (b = :v)) AND ((a = :v) OR (c <> :v)))", ONE)),
    Row("words are known in any case", CONDITIONS, "DeleteItem",
        _when("not a In (:v) Or a between :v and :v", ONE)),
    Row("a condition of every operator", CONDITIONS, "DeleteItem", _when(
        "(a <> :v OR NOT a.b[0].c >= :v) AND (a IN (:v, b) OR size(#n) < :v AND contains(a, :t)) OR attribute_type(a, :t)"
        " OR attribute_not_exists(d[1]) AND (begins_with(e, :t))", ONE | {":t": s("S")}, {"#n": "size"})),
    Row("an expression has 4 KB", QUOTAS, "DeleteItem", _when("a <> :v" + " " * (4 * KB - 7), ONE)),
    Row("an expression has no more", QUOTAS, "DeleteItem", _when("a = :v" + " " * (4 * KB - 5), ONE), INVALID,
        CONDITION + "Expression size has exceeded the maximum allowed size;"),
    Row("an expression has 300 operators", QUOTAS, "DeleteItem", _when(" OR ".join(["a = :v"] * 151), ONE), INVALID,
        CONDITION + "The expression contains too many operators; operator count: 301"),
    Row("an IN has 100 operands", QUOTAS, "DeleteItem", _when(
        f"a IN ({', '.join(f':v{m}' for m in range(101))})", {f":v{m}": n(m) for m in range(101)}), INVALID,
        CONDITION + "The IN operator is provided with too many operands; number of operands: 101"),
    Row("old parameters and expressions don't mix", GUIDE + "LegacyConditionalParameters.html", "DeleteItem",
        _when("attribute_exists(a)", Expected={"a": {"Exists": False}}), INVALID,
        "Can not use both expression and non-expression parameters in the same request:"
        " Non-expression parameters: {Expected} Expression parameters: {ConditionExpression}"),
    Row("a condition that fails", API + "API_DeleteItem.html", "DeleteItem", _when("attribute_exists(nothing)"),
        "ConditionalCheckFailedException", "The conditional request failed"),
    Row("a condition that fails gives the item", API + "API_DeleteItem.html", "DeleteItem",
        _when("attribute_exists(b)", ReturnValuesOnConditionCheckFailure="ALL_OLD"),
        "ConditionalCheckFailedException", "The conditional request failed",
        answer={"Item": key("expressions") | {"a": n(1)}}, before=(put("expressions", a=n(1)),)),
]  # fmt: skip

UPDATING = [
    Row("an update leaves the key", UPDATES, "UpdateItem", _update("SET i = :v", ONE), INVALID,
        "One or more parameter values were invalid: Cannot update attribute i. This attribute is part of the key"),
    Row("an update does not remove the key", UPDATES, "UpdateItem", _update("REMOVE p"), INVALID,
        "One or more parameter values were invalid: Cannot update attribute p. This attribute is part of the key"),
    Row("an update has a path once", UPDATES, "UpdateItem", _update("SET a = :v REMOVE a", ONE), INVALID,
        UPDATE + "Two document paths overlap with each other; must remove or rewrite one of these paths;"
        " path one: [a], path two: [a]"),
    Row("an update's paths don't overlap", UPDATES, "UpdateItem", _update("SET a = :v, a.b = :v", ONE), INVALID,
        UPDATE + "Two document paths overlap with each other;"),
    Row("an update has each section once", UPDATES, "UpdateItem", _update("SET a = :v SET b = :v", ONE), INVALID,
        UPDATE + 'The "SET" section can only be used once in an update expression;'),
    Row("an update is not empty", UPDATES, "UpdateItem", _update(""), INVALID, UPDATE + "The expression can not be empty;"),
    Row("an update is one", UPDATES, "UpdateItem", _update("SET a :v", ONE), INVALID, UPDATE + "Syntax error; token: "),
    Row("an update has a section", UPDATES, "UpdateItem", _update("a = :v", ONE), INVALID,
        UPDATE + 'Syntax error; token: "a"'),
    Row("an update's name is no reserved word", WORDS, "UpdateItem", _update("SET name = :v", ONE), INVALID,
        UPDATE + "Attribute name is a reserved keyword; reserved keyword: name"),
    Row("an update's value is given", VALUES, "UpdateItem", _update("SET a = :w"), INVALID,
        UPDATE + "An expression attribute value used in expression is not defined; attribute value: :w"),
    Row("an update's value is used", VALUES, "UpdateItem", _update("SET a = :v", ONE | {":w": n(1)}), INVALID,
        "Value provided in ExpressionAttributeValues unused in expressions: keys: {:w}"),
    Row("an update and its condition share values", VALUES, "UpdateItem",
        _update("SET c = :v", ONE | {":w": n(1)}, ConditionExpression="c <> :w")),
    Row("an update adds to a number or set", UPDATES, "UpdateItem", _update("ADD a :s", {":s": s("x")}), INVALID,
        UPDATE + "Incorrect operand type for operator or function; operator: ADD, operand type: STRING"),
    Row("an update deletes from a set", UPDATES, "UpdateItem", _update("DELETE a :v", ONE), INVALID,
        UPDATE + "Incorrect operand type for operator or function; operator: DELETE, operand type: NUMBER"),
    Row("an update's path is there", UPDATES, "UpdateItem", _update("SET nothing.b = :v", ONE), INVALID,
        "The document path provided in the update expression is invalid for update"),
    Row("an update reads what is there", UPDATES, "UpdateItem", _update("SET b = nothing"), INVALID,
        "The provided expression refers to an attribute that does not exist in the item"),
    Row("an update's function is known", UPDATES, "UpdateItem", _update("SET a = size(a)"), INVALID,
        UPDATE + "The function is not allowed in an update expression; function: size"),
    Row("an update of no attribute makes the item", API + "API_UpdateItem.html", "UpdateItem",
        on(Key=key("expressions", "bare")), before=()),
    Row("an update of every section", UPDATES, "UpdateItem",
        on(Key=key("expressions", "every"), ReturnValues="ALL_NEW",
           UpdateExpression="set n = if_not_exists(n, :v) + :v, m.#a = n, l = list_append(l, :l), l2[1] = :v - n"
           " remove gone, l2[0] add c :v delete t :t",
           ExpressionAttributeNames={"#a": "a"},
           ExpressionAttributeValues=ONE | {":l": {"L": [n(2)]}, ":t": {"SS": ["x"]}}),
        answer={"Attributes": {"n": n(2), "m": {"M": {"a": n(1)}}, "l": {"L": [n(1), n(2)]}, "l2": {"L": [n(0)]}, "c": n(1),
                               "t": {"SS": ["y"]}}},
        before=(put("expressions", "every", n=n(1), m={"M": {}}, l={"L": [n(1)]}, l2={"L": [n(7), n(8)]}, gone=n(1),
                    t={"SS": ["x", "y"]}),)),
    Row("an update of no attribute has its condition", API + "API_UpdateItem.html", "UpdateItem",
        on(Key=key("expressions", "nothing"), ConditionExpression="attribute_exists(p)"), "ConditionalCheckFailedException"),
    Row("a projection's paths don't overlap", GUIDE + "Expressions.ProjectionExpressions.html", "GetItem",
        on(Key=key("expressions"), ProjectionExpression="a, a.b"), INVALID,
        "Invalid ProjectionExpression: Two document paths overlap with each other;"),
    Row("a projection's name is no reserved word", WORDS, "GetItem",
        on(Key=key("expressions"), ProjectionExpression="a, data"), INVALID,
        "Invalid ProjectionExpression: Attribute name is a reserved keyword; reserved keyword: data"),
    Row("a projection is one", GUIDE + "Expressions.ProjectionExpressions.html", "GetItem",
        on(Key=key("expressions"), ProjectionExpression="a,,b"), INVALID,
        "Invalid ProjectionExpression: Syntax error; token: "),
    Row("a projection's name is given", NAMES, "GetItem", on(Key=key("expressions"), ProjectionExpression="#a"), INVALID,
        "Invalid ProjectionExpression: An expression attribute name used in the document path is not defined; attribute name: #a"),
    Row("what a put returns is old", API + "API_PutItem.html", "PutItem",
        on(Item=key("expressions"), ReturnValues="ALL_NEW"), INVALID),
]  # fmt: skip
