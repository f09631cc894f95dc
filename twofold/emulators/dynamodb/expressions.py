"""All expressions of one request, with the names and values that they share."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from twofold.emulators.dynamodb.condition import Condition, condition, tests
from twofold.emulators.dynamodb.errors import invalid, message_of
from twofold.emulators.dynamodb.key_condition import KeyTest, key_tests
from twofold.emulators.dynamodb.syntax import Call, Operand, Path, Reader, projection
from twofold.emulators.dynamodb.update import update
from twofold.emulators.dynamodb.values import check
from twofold.emulators.server import Answer

_SLOTS = (
    "KeyConditionExpression",
    "UpdateExpression",
    "ConditionExpression",
    "FilterExpression",
    "ProjectionExpression",
)
_OLD = (
    "AttributesToGet",
    "AttributeUpdates",
    "ConditionalOperator",
    "Expected",
    "KeyConditions",
    "QueryFilter",
    "ScanFilter",
)
_NAMES, _VALUES = "ExpressionAttributeNames", "ExpressionAttributeValues"


@dataclass(slots=True)
class Expressions:
    """What the request's expressions say, as far as it is looked at."""

    changed: list[Path] = field(default_factory=list)
    keys: dict[str, KeyTest] = field(default_factory=dict)
    filter: Condition | None = None


def expressions(request: Mapping[str, Any]) -> Expressions:
    """Reads them; raises the refusal of the first that is wrong."""
    parsed = Expressions()
    slots = [slot for slot in _SLOTS if request.get(slot) is not None]
    if slots and (old := [name for name in _OLD if request.get(name)]):
        raise invalid(
            "Can not use both expression and non-expression parameters in the same request:"
            f" Non-expression parameters: {{{', '.join(old)}}} Expression parameters: {{{', '.join(sorted(slots))}}}"
        )
    names, values = _given(request, _NAMES, "#", slots), _given(request, _VALUES, ":", slots)
    for name, value in values.items():
        try:
            check(value)
        except Answer as refusal:
            raise invalid(f"{_VALUES} contains invalid value: {message_of(refusal)} for key {name}") from None
    used: set[str] = set()
    for slot in slots:
        reader = Reader(slot, request[slot], names, values)
        match slot:
            case "KeyConditionExpression":
                parsed.keys = key_tests(reader, condition(reader))
            case "UpdateExpression":
                parsed.changed = update(reader)
            case "ConditionExpression":
                condition(reader)
            case "FilterExpression":
                parsed.filter = condition(reader)
            case _:
                projection(reader)
        used |= reader.used
    for what, entries in ((_NAMES, names), (_VALUES, values)):
        if unused := [name for name in entries if name not in used]:
            raise invalid(f"Value provided in {what} unused in expressions: keys: {{{', '.join(unused)}}}")
    return parsed


def named_in(parsed: Condition) -> set[str]:
    """The attributes that a condition looks at."""
    return {name for test in tests(parsed) for operand in test.operands for name in _attributes(operand)}


def _attributes(operand: Operand) -> set[str]:
    if isinstance(operand, tuple):
        return {str(operand[0])}
    return {name for one in operand.operands for name in _attributes(one)} if isinstance(operand, Call) else set()


def _given(request: Mapping[str, Any], what: str, sign: str, slots: Collection[str]) -> dict[str, Any]:
    entries: dict[str, Any] | None = request.get(what)
    if entries is None:
        return {}
    if not slots:
        raise invalid(f"{what} can only be specified when using expressions")
    if not entries:
        raise invalid(f"{what} must not be empty")
    for name in entries:
        if not name.startswith(sign) or len(name) == 1:
            raise invalid(f'{what} contains invalid key: Syntax error; key: "{name}"')
    return entries
