"""What IAM's policies allow, as IAM evaluates them: a denial wins, what nothing allows is denied; wildcards, and the four
operators of conditions that the kit's policies use ("Policy evaluation logic", IAM User Guide)."""

import re
from functools import cache


def allowed(documents, action, resource, **context):
    """Whether these policies together allow a call. `context` has the condition keys of the request, with `_` for `:`."""
    values = {key.replace("_", ":", 1): value for key, value in context.items()}
    effects = {
        statement["Effect"]
        for document in documents
        for statement in document["Statement"]
        if any(matches(one, action) for one in statement["Action"])
        and any(matches(one, resource) for one in statement["Resource"])
        and _met(statement.get("Condition", {}), values)
    }
    return effects == {"Allow"}


def _met(condition, actual):
    return all(
        key in actual and any(_OPERATORS[operator](value, actual[key]) for value in _list(values))
        for operator, keys in condition.items()
        for key, values in keys.items()
    )


def _list(values):
    return values if isinstance(values, list) else [values]


def matches(pattern, text):
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), text) is not None


_OPERATORS = {
    "StringEquals": str.__eq__,
    "StringLike": matches,
    "ArnLike": matches,
    "Bool": str.__eq__,
}


@cache
def meet(one, other):
    """Whether some name matches both patterns."""
    if not one or not other:
        return not (one + other).strip("*")
    if one[0] == "*":
        return meet(one[1:], other) or meet(one, other[1:])
    if other[0] == "*":
        return meet(other, one)
    return one[0] == other[0] and meet(one[1:], other[1:])
