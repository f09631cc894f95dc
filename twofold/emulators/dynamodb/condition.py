"""Conditions: those of writes, filters, and of keys ("Comparison operator and function reference")."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from twofold.emulators.dynamodb.syntax import Call, Literal, Operand, Reader, shown
from twofold.emulators.dynamodb.values import ordered

COMPARED = ("=", "<>", "<", "<=", ">", ">=")
MAX_IN = 100
_FUNCTIONS = {"attribute_exists": 1, "attribute_not_exists": 1, "attribute_type": 2, "begins_with": 2, "contains": 2}
_UPDATES = ("if_not_exists", "list_append")
_TYPES = "{B,NULL,SS,BOOL,L,BS,N,NS,S,M}"
_SCALARS = ("S", "N", "B")
_SIZED = ("S", "B", "SS", "NS", "BS", "L", "M")


@dataclass(frozen=True, slots=True)
class Test:
    """An operator or function, and its operands."""

    operator: str
    operands: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """AND, OR or NOT of others."""

    operator: str
    parts: tuple["Condition", ...]


type Condition = Test | Group


def condition(reader: Reader) -> Condition:
    """The condition; raises its refusal."""
    parsed = _alternatives(reader)
    reader.finish()
    return parsed


def tests(parsed: Condition) -> Iterator[Test]:
    """Every one in it."""
    if isinstance(parsed, Test):
        yield parsed
    else:
        for part in parsed.parts:
            yield from tests(part)


def kind_of(operand: Operand) -> str | None:
    """The type of a value that the request gives."""
    return next(iter(operand.value), None) if isinstance(operand, Literal) else None


def _alternatives(reader: Reader) -> Condition:
    return _joined(reader, "OR", lambda: _joined(reader, "AND", lambda: _negated(reader)))


def _joined(reader: Reader, operator: str, part: Callable[[], Condition]) -> Condition:
    parts = [part()]
    while reader.word() == operator:
        reader.take()
        reader.operators += 1
        parts.append(part())
    return parts[0] if len(parts) == 1 else Group(operator, tuple(parts))


def _negated(reader: Reader) -> Condition:
    if reader.word() != "NOT":
        return _one(reader)
    reader.take()
    reader.operators += 1
    return Group("NOT", (_negated(reader),))


def _one(reader: Reader) -> Condition:
    if reader.peek() == "(":
        reader.take()
        parsed = _alternatives(reader)
        if parsed is reader.grouped:
            reader.fault("parentheses", "The expression has redundant parentheses;")
        reader.take(")")
        reader.grouped = parsed
        return parsed
    first = reader.operand()
    operator = reader.word()
    if operator in COMPARED:
        reader.take()
        return _checked(reader, Test(operator, (first, reader.operand())))
    if operator == "BETWEEN":
        reader.take()
        low = reader.operand()
        reader.take("AND")
        return _checked(reader, Test(operator, (first, low, reader.operand())))
    if operator == "IN":
        reader.take()
        reader.take("(")
        operands = [first, reader.operand()]
        while reader.peek() == ",":
            reader.take()
            operands.append(reader.operand())
        reader.take(")")
        return _checked(reader, Test(operator, tuple(operands)))
    if isinstance(first, Call):
        return _function(reader, first)
    reader.unexpected()


def _function(reader: Reader, call: Call) -> Test:
    """A function that is a condition by itself."""
    name = call.function
    if name == "size":
        reader.fault("use", f"The function is not allowed to be used this way in an expression; function: {name}")
    _known(reader, call)
    for operand in call.operands:
        _as_operand(reader, operand)
    return Test(name, call.operands)


def _checked(reader: Reader, test: Test) -> Test:
    """A comparison's operands."""
    reader.operators += 1
    for operand in test.operands:
        _as_operand(reader, operand)
        if test.operator not in ("=", "<>", "IN") and (kind := kind_of(operand)) and kind not in _SCALARS:
            _wrong_type(reader, "operator", test.operator, kind)
    first, *others = test.operands
    if isinstance(first, tuple) and first in others:
        reader.fault(
            "distinct",
            "The first operand must be distinct from the remaining operands for this operator or function;"
            f" operator: {test.operator}, first operand: {shown(first)}",
        )
    if test.operator == "IN" and len(others) > MAX_IN:
        reader.fault("count", f"The IN operator is provided with too many operands; number of operands: {len(others)}")
    if test.operator == "BETWEEN":
        _bounds(reader, *others)
    return test


def _bounds(reader: Reader, low: Operand, high: Operand) -> None:
    if not isinstance(low, Literal) or not isinstance(high, Literal) or not low.value or not high.value:
        return
    [(one, least)], [(other, most)] = low.value.items(), high.value.items()
    bounds = f"lower bound operand: AttributeValue: {{{one}:{least}}}, upper bound operand: AttributeValue: {{{other}:{most}}}"
    if one != other:
        reader.fault("type", f"The BETWEEN operator requires same data type for lower and upper bounds; {bounds}")
    elif one in _SCALARS and ordered(one, least) > ordered(one, most):
        reader.fault(
            "type", f"The BETWEEN operator requires upper bound to be greater than or equal to lower bound; {bounds}"
        )


def _as_operand(reader: Reader, operand: Operand) -> None:
    if not isinstance(operand, Call):
        return
    _known(reader, operand)
    if operand.function in _FUNCTIONS:
        reader.fault(
            "use", f"The function is not allowed to be used this way in an expression; function: {operand.function}"
        )
    for inner in operand.operands:
        _as_operand(reader, inner)


def _known(reader: Reader, call: Call) -> None:
    """Whether conditions have this function, with these operands."""
    name, operands = call.function, call.operands
    if name in _UPDATES:
        reader.fault("function", f"The function is not allowed in a condition expression; function: {name}")
    elif name != "size" and name not in _FUNCTIONS:
        reader.fault("function", f"Invalid function name; function: {name}")
    elif len(operands) != _FUNCTIONS.get(name, 1):
        reader.fault(
            "operands",
            "Incorrect number of operands for operator or function;"
            f" operator or function: {name}, number of operands: {len(operands)}",
        )
    elif name in ("attribute_exists", "attribute_not_exists") and not isinstance(operands[0], tuple):
        reader.fault("type", f"Operator or function requires a document path; operator or function: {name}")
    elif name == "begins_with":
        for kind in map(kind_of, operands):
            if kind and kind not in ("S", "B"):
                _wrong_type(reader, "operator or function", name, kind)
    elif name == "size" and (kind := kind_of(operands[0])) and kind not in _SIZED:
        _wrong_type(reader, "operator or function", name, kind)
    elif name == "attribute_type" and isinstance(operands[1], Literal):
        _type_name(reader, operands[1])


def _type_name(reader: Reader, literal: Literal) -> None:
    kind, content = next(iter(literal.value.items()), (None, None))
    if kind and kind != "S":
        _wrong_type(reader, "operator or function", "attribute_type", kind)
    elif kind and content not in _TYPES[1:-1].split(","):
        reader.fault("type", f"Invalid attribute type name found; type: {content}, valid types: {_TYPES}")


def _wrong_type(reader: Reader, what: str, name: str, kind: str) -> None:
    reader.fault("type", f"Incorrect operand type for operator or function; {what}: {name}, operand type: {kind}")
