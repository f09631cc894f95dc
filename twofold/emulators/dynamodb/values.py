"""Attribute values: which are taken, and how large they are ("Supported data types and naming rules", "Item sizes and formats")."""

import base64
import re
from collections.abc import Iterable, Mapping
from decimal import Context, Decimal
from typing import Any

from twofold.emulators.dynamodb.errors import invalid, wrong
from twofold.emulators.server import Answer

type Value = Mapping[str, Any]
type Item = Mapping[str, Value]

MAX_ITEM = 400 * 1024
MAX_LEVELS = 32
MAX_DIGITS, MAX_EXPONENT, MIN_EXPONENT = 38, 125, -130
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,9})?")
_PRECISE = Context(prec=MAX_DIGITS)
_EMPTY_SETS = {
    "SS": "An string set  may not be empty",
    "NS": "An number set  may not be empty",
    "BS": "Binary sets should not be empty",
}
_TYPES = {
    "S": str,
    "N": str,
    "B": str,
    "BOOL": bool,
    "NULL": bool,
    "L": list,
    "M": dict,
    "SS": list,
    "NS": list,
    "BS": list,
}


def check_all(values: Iterable[Value]) -> None:
    """Raises the refusal of the first that is no value."""
    for value in values:
        check(value)


def check(value: Any, level: int = 1) -> None:
    """Raises the refusal of what is no value."""
    known = [kind for kind in value if kind in _TYPES] if isinstance(value, dict) else []
    if not known:
        raise invalid("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
    if len(known) > 1:
        raise invalid(
            "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"
        )
    if level > MAX_LEVELS + 1:
        raise invalid(
            "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"
        )
    kind = known[0]
    if not isinstance(value[kind], _TYPES[kind]):
        raise invalid("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
    content: Any = value[kind]
    match kind:
        case "N":
            number(content)
        case "NULL" if not content:
            raise wrong("Null attribute value types must have the value of true")
        case "SS" | "NS" | "BS":
            _check_set(kind, content)
        case "L" | "M":
            for member in content if kind == "L" else content.values():
                check(member, level + 1)


def number(text: object) -> Decimal:
    """The number; raises the refusal of what is none or can't be stored."""
    if not isinstance(text, str) or not _NUMBER.fullmatch(text):
        shown = f": {text}" if text else ""
        raise invalid(f"The parameter cannot be converted to a numeric value{shown}")
    value = Decimal(text)
    if value and value.adjusted() > MAX_EXPONENT:
        raise invalid("Number overflow. Attempting to store a number with magnitude larger than supported range")
    if value and value.adjusted() < MIN_EXPONENT:
        raise invalid("Number underflow. Attempting to store a number with magnitude smaller than supported range")
    if len("".join(map(str, value.as_tuple().digits)).strip("0")) > MAX_DIGITS:
        raise invalid("Attempting to store more than 38 significant digits in a Number")
    return value


def canonical(value: Any) -> Any:
    """JSON with each number in its one spelling, as DynamoDB stores it: `10.50` and `1.05e1` are `10.5`, as a key too."""
    match value:
        case {"N": str(text)} if len(value) == 1:
            return {"N": _spelled(text)}
        case {"NS": list(texts)} if len(value) == 1:
            return {"NS": [_spelled(text) for text in texts]}
        case dict():
            return {name: canonical(inner) for name, inner in value.items()}
        case list():
            return [canonical(inner) for inner in value]
    return value


def _spelled(text: Any) -> Any:
    try:
        return format(number(text).normalize(_PRECISE), "f")
    except Answer:
        return text  # its check refuses it


def item_size(item: Item) -> int:
    """In bytes, names included."""
    return sum(len(name.encode()) + size(value) for name, value in item.items())


def size(value: Value) -> int:
    """In bytes. A number has one for two digits, and one more."""
    [(kind, content)] = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "B":
            return len(_bytes(content))
        case "N":
            return _number_size(content)
        case "SS":
            return sum(len(member.encode()) for member in content)
        case "NS":
            return sum(map(_number_size, content))
        case "BS":
            return sum(len(_bytes(member)) for member in content)
        case "L":
            return 3 + sum(1 + size(member) for member in content)
        case "M":
            return 3 + sum(1 + len(name.encode()) + size(member) for name, member in content.items())
    return 1


def ordered(kind: str, content: str) -> Any:
    """A key's value as it is compared with others of its type."""
    match kind:
        case "N":
            return Decimal(content)
        case "B":
            return _bytes(content)
    return content.encode()


def _check_set(kind: str, members: list[Any]) -> None:
    if not members:
        raise wrong(_EMPTY_SETS[kind])
    if kind == "NS":
        if len({number(member) for member in members}) < len(members):
            raise wrong("Input collection contains duplicates.")
    elif len(set(members)) < len(members):
        of_type = "of type BS" if kind == "BS" else ""
        raise wrong(f"Input collection [{', '.join(members)}]{of_type} contains duplicates.")


def _number_size(text: str) -> int:
    value = Decimal(text)
    digits = "".join(map(str, value.as_tuple().digits)).strip("0")
    return (len(digits) + 1) // 2 + 1 + (value < 0)


def _bytes(text: str) -> bytes:
    return base64.b64decode(text)
