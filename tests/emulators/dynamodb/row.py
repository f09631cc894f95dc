"""A row of the ledger: a request, and what AWS answers to it. `TABLE` in it stands for the table's name.

The table has the keys `p` and `i` (S), the index `global` of `h` (S) and `r` (N), and the index `local` of `p` and `r`.
"""

from dataclasses import dataclass, field
from typing import Any

TABLE = "TABLE"
INVALID, SERIALIZATION = "ValidationException", "SerializationException"
KB = 1024
GUIDE = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/"
API = "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/"


@dataclass(frozen=True)
class Row:
    """`code` is the error's, none when AWS does it; `message` is how its message begins; `answer` is what it has at least."""

    rule: str
    source: str
    operation: str
    arguments: dict[str, Any]
    code: str = ""
    message: str = ""
    answer: dict[str, Any] = field(default_factory=dict)
    before: tuple[tuple[str, dict[str, Any]], ...] = ()


def s(text: str) -> dict[str, str]:
    return {"S": text}


def n(number: object) -> dict[str, str]:
    return {"N": str(number)}


def key(p: str, i: str = "1") -> dict[str, Any]:
    return {"p": s(p), "i": s(i)}


def on(**arguments: Any) -> dict[str, Any]:
    return {"TableName": TABLE, **arguments}


def put(p: str, i: str = "1", **attributes: Any) -> tuple[str, dict[str, Any]]:
    """What a row can have before it."""
    return "PutItem", on(Item=key(p, i) | attributes)
