"""JSON that every parser reads alike: no name twice in an object, no NaN or Infinity (RFC 8259, sections 4 and 6)."""

import json
from typing import Any


def loads(text: str) -> Any:
    """The value of a JSON text; ValueError for any other text."""
    return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("an object has a name twice")
    return members


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON number")
