"""Key conditions, and where a query starts ("Key condition expressions for the Query operation")."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from twofold.emulators.dynamodb.condition import Condition, Group, Test
from twofold.emulators.dynamodb.errors import invalid, wrong
from twofold.emulators.dynamodb.schema import Keys, check_filled
from twofold.emulators.dynamodb.syntax import Literal, Reader
from twofold.emulators.dynamodb.values import Item, ordered

_TURNED = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_OPERATORS = (*_TURNED, "BETWEEN", "begins_with")


@dataclass(frozen=True, slots=True)
class KeyTest:
    """A key attribute's operator, and the values of one type."""

    operator: str
    kind: str
    contents: tuple[str, ...]

    def holds(self, value: Mapping[str, Any]) -> bool:
        """Whether it holds for a value of its type."""
        mine = ordered(self.kind, value[self.kind])
        first, *rest = [ordered(self.kind, content) for content in self.contents]
        match self.operator:
            case "=":
                return bool(mine == first)
            case "<":
                return bool(mine < first)
            case "<=":
                return bool(mine <= first)
            case ">":
                return bool(mine > first)
            case ">=":
                return bool(mine >= first)
            case "BETWEEN":
                return bool(first <= mine <= rest[0])
        return bool(mine.startswith(first))


def key_tests(reader: Reader, parsed: Condition) -> dict[str, KeyTest]:
    """The test of each attribute that a condition names; raises the refusal of what is no condition of keys."""
    result: dict[str, KeyTest] = {}
    for test in _each(reader, parsed):
        name, one = _key_test(reader, test)
        if name in result:
            reader.refuse("KeyConditionExpressions must only contain one condition per key")
        result[name] = one
    return result


def check_keys(keys: Keys, tests: Mapping[str, KeyTest]) -> None:
    """Raises the refusal of tests that are not of these keys."""
    names = [keys.partition, *filter(None, [keys.sort])]
    if len(tests) > len(names):
        raise invalid("Query key condition not supported")
    for name in names[: max(len(tests), 1)]:
        if name not in tests:
            raise invalid(f"Query condition missed key schema element: {name}")
    if tests[keys.partition].operator != "=":
        raise invalid("Query key condition not supported")
    for name, test in tests.items():
        if test.kind != keys.types[name]:
            raise wrong("Condition parameter type does not match schema type")
        for content in test.contents:
            check_filled(name, test.kind, content)


def check_start(keys: Keys, tests: Mapping[str, KeyTest], start: Item) -> None:
    """Raises the refusal of a start, of the right form, that is none of what the tests select."""
    same = tests[keys.partition].holds(start[keys.partition])
    if keys.sort is None or keys.sort not in tests:
        if not same:
            raise invalid("The provided starting key is outside query boundaries based on provided conditions")
    elif not tests[keys.sort].holds(start[keys.sort]):
        raise invalid("The provided starting key does not match the range key predicate")
    elif not same:
        raise invalid("The query can return at most one row and cannot be restarted")


def _each(reader: Reader, parsed: Condition) -> list[Test]:
    if isinstance(parsed, Test):
        return [parsed]
    if parsed.operator != "AND":
        _unfit(reader, parsed)
    return [test for part in parsed.parts for test in _each(reader, part)]


def _key_test(reader: Reader, test: Test) -> tuple[str, KeyTest]:
    if test.operator not in _OPERATORS:
        _unfit(reader, test)
    operator, (first, *others) = test.operator, test.operands
    if isinstance(first, Literal) and operator in _TURNED:
        operator, first, others = _TURNED[operator], others[0], [first]
    values = [one.value for one in others if isinstance(one, Literal)]
    if not isinstance(first, tuple) or len(values) < len(others):
        raise invalid("Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition")
    if len(first) > 1:
        reader.refuse("KeyConditionExpressions cannot have conditions on nested attributes")
    kind = next(iter(values[0]))
    return str(first[0]), KeyTest(operator, kind, tuple(value[kind] for value in values))


def _unfit(reader: Reader, parsed: Test | Group) -> None:
    reader.refuse(f"Invalid operator used in KeyConditionExpression: {parsed.operator}")
