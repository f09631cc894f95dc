"""Queries, in a small grammar; whatever else is asked is refused, so that nothing is answered by chance.

SELECT * FROM c WHERE <test> AND … [ORDER BY c.<field> ASC|DESC] [OFFSET n LIMIT m]
test: c.<field> <op> @name | STARTSWITH(c.<field>, @name) | (NOT IS_DEFINED(c.<field>) OR c.<field> <op> @name)
"""

import operator
import re
from typing import Any

from twofold.emulators.cosmos.container import Item, bad

_QUERY = re.compile(
    r"SELECT \* FROM c WHERE (?P<where>.+?)(?: ORDER BY c\.(?P<order>\w+) (?P<way>ASC|DESC))?"
    r"(?: OFFSET (?P<offset>\d+) LIMIT (?P<limit>\d+))?"
)
_COMPARE = re.compile(r"c\.(\w+) (=|<|<=|>|>=) (@\w+)")
_PREFIX = re.compile(r"STARTSWITH\(c\.(\w+), (@\w+)\)")
_OPTIONAL = re.compile(r"\(NOT IS_DEFINED\(c\.(\w+)\) OR c\.(\w+) (=|<|<=|>|>=) (@\w+)\)")
_OPERATORS = {"=": operator.eq, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def run(items: list[Item], query: object) -> list[Item]:
    """The items that the query selects, in its order. Raises the Answer to a query outside of the grammar."""
    if not isinstance(query, dict) or not isinstance(query.get("query"), str):
        raise bad("A query is an object with the member 'query'.")
    match = _QUERY.fullmatch(query["query"])
    if match is None:
        raise bad(f"Syntax error: {query['query']}")
    values = {parameter["name"]: parameter["value"] for parameter in query.get("parameters", [])}
    for test in match["where"].split(" AND "):
        items = [item for item in items if _holds(test, item, values)]
    if match["order"]:
        items = sorted(items, key=lambda item: _sort_key(item[match["order"]]), reverse=match["way"] == "DESC")
    if match["limit"]:
        offset = int(match["offset"])
        items = items[offset : offset + int(match["limit"])]
    return items


def _holds(test: str, item: Item, values: dict[str, Any]) -> bool:
    if optional := _OPTIONAL.fullmatch(test):
        field, same, sign, name = optional.groups()
        if field != same:
            raise bad(f"Syntax error near {test}")
        return field not in item or _compare(item[field], sign, _value(values, name))
    if compare := _COMPARE.fullmatch(test):
        field, sign, name = compare.groups()
        return field in item and _compare(item[field], sign, _value(values, name))
    if prefix := _PREFIX.fullmatch(test):
        value = item.get(prefix[1])
        return isinstance(value, str) and value.startswith(_value(values, prefix[2]))
    raise bad(f"Syntax error near {test}")


def _value(values: dict[str, Any], name: str) -> Any:
    if name not in values:
        raise bad(f"The query parameter {name} has no value.")
    return values[name]


def _compare(left: object, sign: str, right: object) -> bool:
    if type(left) is not type(right):
        return False  # undefined, in Cosmos' terms
    return bool(_OPERATORS[sign](_sort_key(left), _sort_key(right)))


def _sort_key(value: object) -> Any:
    return value.encode() if isinstance(value, str) else value
