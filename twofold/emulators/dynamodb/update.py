"""Update expressions ("Using update expressions in DynamoDB")."""

from twofold.emulators.dynamodb.condition import kind_of
from twofold.emulators.dynamodb.syntax import Call, Operand, Path, Reader, check_apart

_SECTIONS = ("SET", "REMOVE", "ADD", "DELETE")
_FUNCTIONS = {"if_not_exists": 2, "list_append": 2}
_CONDITIONS = ("attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains", "size")
_TYPES = {"S": "STRING", "N": "NUMBER", "B": "BINARY", "BOOL": "BOOLEAN", "NULL": "NULL", "L": "LIST", "M": "MAP",
          "SS": "STRING_SET", "NS": "NUMBER_SET", "BS": "BINARY_SET"}  # fmt: skip
_TAKEN = {"ADD": ("N", "SS", "NS", "BS"), "DELETE": ("SS", "NS", "BS")}


def update(reader: Reader) -> list[Path]:
    """The paths that it changes; raises its refusal."""
    paths: list[Path] = []
    sections: set[str] = set()
    while sections == set() or reader.word() in _SECTIONS:
        section = reader.word()
        if section not in _SECTIONS:
            reader.unexpected()
        if section in sections:
            reader.refuse(f'The "{section}" section can only be used once in an update expression;')
        sections.add(section)
        reader.take()
        paths.append(_action(reader, section))
        while reader.peek() == ",":
            reader.take()
            paths.append(_action(reader, section))
    reader.finish()
    check_apart(reader, paths)
    return paths


def _action(reader: Reader, section: str) -> Path:
    path = reader.path()
    reader.operators += 1
    if section == "SET":
        reader.take("=")
        _value(reader)
    elif section != "REMOVE":
        kind = kind_of(reader.literal())
        if kind and kind not in _TAKEN[section]:
            reader.fault(
                "type",
                f"Incorrect operand type for operator or function; operator: {section}, operand type: {_TYPES[kind]}",
            )
    return path


def _value(reader: Reader) -> None:
    operands = [_operand(reader)]
    if (sign := reader.peek()) in ("+", "-"):
        reader.take()
        reader.operators += 1
        operands.append(_operand(reader))
        for operand in operands:
            _numeric(reader, sign, operand)


def _operand(reader: Reader) -> Operand:
    if reader.peek() == "(":
        reader.take()
        operand = _operand(reader)
        reader.take(")")
        return operand
    operand = reader.operand()
    _known(reader, operand)
    return operand


def _numeric(reader: Reader, sign: str, operand: Operand) -> None:
    if (kind := kind_of(operand)) and kind != "N":
        reader.fault(
            "type",
            f"Incorrect operand type for operator or function; operator or function: {sign}, operand type: {kind}",
        )


def _known(reader: Reader, operand: Operand) -> None:
    if not isinstance(operand, Call):
        return
    name, operands = operand.function, operand.operands
    for inner in operands:
        _known(reader, inner)
    if name in _CONDITIONS:
        reader.fault("function", f"The function is not allowed in an update expression; function: {name}")
    elif name not in _FUNCTIONS:
        reader.fault("function", f"Invalid function name; function: {name}")
    elif len(operands) != _FUNCTIONS[name]:
        reader.fault(
            "operands",
            "Incorrect number of operands for operator or function;"
            f" operator or function: {name}, number of operands: {len(operands)}",
        )
    elif name == "if_not_exists" and not isinstance(operands[0], tuple):
        reader.fault("type", f"Operator or function requires a document path; operator or function: {name}")
    elif name == "list_append":
        for kind in map(kind_of, operands):
            if kind and kind != "L":
                reader.fault(
                    "type",
                    f"Incorrect operand type for operator or function; operator or function: {name}, operand type: {kind}",
                )
