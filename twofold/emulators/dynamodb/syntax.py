"""What all expressions have in common: tokens, paths, names and values; and the order in which faults are told."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import NoReturn

from twofold.emulators.dynamodb.errors import invalid
from twofold.emulators.dynamodb.values import Value
from twofold.emulators.server import Answer

MAX_BYTES, MAX_OPERATORS = 4096, 300
_TOKEN = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*|[#:][A-Za-z0-9_]+|[0-9]+|<>|<=|>=|[=<>(),.\[\]+-]|\S)")
_WORD, _NAME, _VALUE = re.compile("[A-Za-z_]"), re.compile("#."), re.compile(":.")
_ORDER = (
    "reserved",
    "function",
    "parentheses",
    "undefined name",
    "undefined value",
    "use",
    "operands",
    "type",
    "distinct",
    "count",
)
END = "<EOF>"

type Path = tuple[str | int, ...]
type Operand = Path | Literal | Call


@dataclass(frozen=True, slots=True)
class Literal:
    """A value that the request gives by a name."""

    value: Value


@dataclass(frozen=True, slots=True)
class Call:
    """A function of operands."""

    function: str
    operands: tuple[Operand, ...]


@cache
def reserved_words() -> frozenset[str]:
    """In capitals ("Reserved words in DynamoDB")."""
    return frozenset(files("twofold.emulators.dynamodb").joinpath("reserved_words.txt").read_text().split())


class Reader:
    """Reads one expression. A fault in its syntax is raised at once, others by `finish`, the first in AWS' order."""

    def __init__(self, what: str, text: str, names: Mapping[str, str], values: Mapping[str, Value]) -> None:
        self.what, self.text = what, text
        self.names, self.values = names, values
        self.used: set[str] = set()
        self.operators = 0
        self.grouped: object = None  # what was in the last parentheses
        self._faults: dict[str, str] = {}
        self._tokens = [(match[1], match.start(1), match.end(1)) for match in _TOKEN.finditer(text)]
        self._next = 0
        if not self._tokens:
            self.refuse("The expression can not be empty;")
        if len(text.encode()) > MAX_BYTES:
            self.refuse(
                "Expression size has exceeded the maximum allowed size;"
                f" expression size: {len(text.encode())}, maximum allowed size: {MAX_BYTES}"
            )

    def refuse(self, message: str) -> NoReturn:
        """Raises the refusal of this expression."""
        raise self.refusal(message)

    def refusal(self, message: str) -> Answer:
        """That of this expression."""
        return invalid(f"Invalid {self.what}: {message}")

    def fault(self, kind: str, message: str) -> None:
        """Keeps the first of its kind."""
        self._faults.setdefault(kind, message)

    def finish(self) -> None:
        """Raises what is wrong: something after the end, or the first fault."""
        if self.peek() != END:
            self.unexpected()
        if self.operators > MAX_OPERATORS:
            self.fault("count", f"The expression contains too many operators; operator count: {self.operators}")
        for kind in _ORDER:
            if kind in self._faults:
                self.refuse(self._faults[kind])

    def peek(self, ahead: int = 0) -> str:
        """A token that comes."""
        place = self._next + ahead
        return self._tokens[place][0] if place < len(self._tokens) else END

    def word(self) -> str:
        """The token that comes, in capitals: words are known in any case."""
        return self.peek().upper()

    def take(self, token: str | None = None) -> str:
        """The token that comes, which must be this one."""
        taken = self.peek()
        if taken == END or (token is not None and taken.upper() != token):
            self.unexpected()
        self._next += 1
        return taken

    def unexpected(self) -> NoReturn:
        """Raises the refusal of the token that comes."""
        around = self._tokens[max(self._next - 1, 0) : self._next + 2]
        self.refuse(f'Syntax error; token: "{self.peek()}", near: "{self.text[around[0][1] : around[-1][2]]}"')

    def path(self) -> Path:
        """A document path."""
        parts: list[str | int] = [self._name()]
        while self.peek() in (".", "["):
            if self.take() == ".":
                parts.append(self._name())
            else:
                if not self.peek().isdigit():
                    self.unexpected()
                parts.append(int(self.take()))
                self.take("]")
        return tuple(parts)

    def literal(self) -> Literal:
        """A value by its name."""
        if not _VALUE.match(self.peek()):
            self.unexpected()
        name = self.take()
        self.used.add(name)
        if name not in self.values:
            self.fault(
                "undefined value",
                f"An expression attribute value used in expression is not defined; attribute value: {name}",
            )
        return Literal(self.values.get(name, {}))

    def call(self) -> Call:
        """A function and its operands."""
        function = self.take()
        self.take("(")
        operands = [self.operand()]
        while self.peek() == ",":
            self.take()
            operands.append(self.operand())
        self.take(")")
        self.operators += 1
        return Call(function, tuple(operands))

    def operand(self) -> Operand:
        """A path, a value, or a function of operands."""
        if self.is_call():
            return self.call()
        return self.literal() if _VALUE.match(self.peek()) else self.path()

    def is_call(self) -> bool:
        """Whether a function comes."""
        return bool(_WORD.match(self.peek())) and self.peek(1) == "("

    def _name(self) -> str:
        token = self.peek()
        if _NAME.match(token):
            self.take()
            self.used.add(token)
            if token not in self.names:
                self.fault(
                    "undefined name",
                    f"An expression attribute name used in the document path is not defined; attribute name: {token}",
                )
            return self.names.get(token, token)
        if not _WORD.match(token):
            self.unexpected()
        if token.upper() in reserved_words():
            self.fault("reserved", f"Attribute name is a reserved keyword; reserved keyword: {token}")
        return self.take()


def shown(path: Path) -> str:
    """A path as AWS shows it."""
    return "[" + ", ".join(f"[{part}]" if isinstance(part, int) else part for part in path) + "]"


def check_apart(reader: Reader, paths: list[Path]) -> None:
    """Raises the refusal of two paths of which one is the other or below it."""
    for place, one in enumerate(paths):
        for other in paths[place + 1 :]:
            shorter = min(len(one), len(other))
            if one[:shorter] == other[:shorter]:
                reader.refuse(
                    "Two document paths overlap with each other; must remove or rewrite one of these paths;"
                    f" path one: {shown(one)}, path two: {shown(other)}"
                )


def projection(reader: Reader) -> list[Path]:
    """The paths of a projection expression."""
    paths = [reader.path()]
    while reader.peek() == ",":
        reader.take()
        paths.append(reader.path())
    reader.finish()
    check_apart(reader, paths)
    return paths
