"""The portable profile: the strictest limits of both clouds, checked before any backend is called.

What passes here works on DynamoDB, on Cosmos DB and on SQLite alike. Each check raises `ProfileError`, whose message
names the limit. Sources: DynamoDB service quotas, Azure Cosmos DB service quotas, Key Vault and Secrets Manager limits.
"""

import json
import math
import re
from typing import Any

from twofold.errors import ProfileError

MAX_PARTITION_BYTES = 1024
MAX_ID_BYTES = 1023
MAX_BODY_BYTES = 350 * 1024
MAX_COMMIT_WRITES = 100
MAX_COMMIT_BYTES = 1024 * 1024
MAX_INTEGER = 2**53 - 1
MAX_ENVELOPE_BYTES = 48 * 1024
MAX_DELAY_SECONDS = 15 * 60
MAX_SECRET_BYTES = 25 * 1024
MAX_HTTP_BYTES = 3 * 1024 * 1024
MAX_HTTP_SECONDS = 29
MAX_HEADERS = 64
MAX_HEADER_BYTES = 10_240
MAX_QUERY_BYTES = 4_096
MAX_TARGET_BYTES = 8_192
MAX_JSON_DEPTH = 64

_FORBIDDEN = re.compile(r"[/\\?#\x00-\x1f\x7f-\x9f]|[\ud800-\udfff]")
_COLLECTION = re.compile(r"[a-z][a-z0-9-]{0,62}")
_QUEUE = re.compile(r"[a-z](?:-?[a-z0-9]){2,31}")
# Secrets Manager appends a hyphen and six characters to a name; a name of that shape makes its ARNs ambiguous.
_SECRET = re.compile(r"(?!.*-[a-z0-9]{6}$)[a-z0-9-]{1,100}(?<!-)")


def check_key(kind: str, value: str, limit: int) -> None:
    """A partition key or id: 1 to `limit` bytes of UTF-8, without / \\ ? #, control characters or a space at the end."""
    if not isinstance(value, str) or not value:
        raise ProfileError(f"{kind} must be a non-empty string")
    if _FORBIDDEN.search(value) or value.endswith(" "):
        raise ProfileError(
            f"{kind} {value!r} must not hold / \\ ? #, control characters, lone surrogates, or end in a space"
        )
    if (size := len(value.encode())) > limit:
        raise ProfileError(f"{kind} is {size} bytes; the limit is {limit}")


def check_partition(value: str) -> None:
    """A partition key: 1 to 1,024 bytes."""
    check_key("partition key", value, MAX_PARTITION_BYTES)


def check_id(value: str) -> None:
    """A document id: 1 to 1,023 bytes."""
    check_key("id", value, MAX_ID_BYTES)


def check_collection(value: str) -> None:
    """A collection: lower case letters, digits and hyphens, 1 to 63 characters."""
    if not _COLLECTION.fullmatch(value):
        raise ProfileError(f"collection {value!r} must match {_COLLECTION.pattern}")


def check_queue_name(value: str) -> None:
    """A queue: lower case letters, digits and single hyphens, 3 to 32 characters (prefix and dead-letter suffix come on top)."""
    if not _QUEUE.fullmatch(value):
        raise ProfileError(f"queue name {value!r} must be 3 to 32 of a-z, 0-9 and single hyphens, a letter first")


def check_secret_name(value: str) -> None:
    """A secret's name: `[a-z0-9-]`, 1 to 100 characters, ending neither in a hyphen nor in a hyphen and six characters."""
    if not _SECRET.fullmatch(value):
        raise ProfileError(
            f"secret name {value!r} must be 1 to 100 of a-z, 0-9 and hyphens, "
            "not ending in a hyphen, or in a hyphen and six characters"
        )


def check_secret_value(value: str) -> None:
    """A secret's value: 1 byte to 25 KB of UTF-8."""
    if not 1 <= (size := len(value.encode())) <= MAX_SECRET_BYTES:
        raise ProfileError(f"secret value is {size} bytes; it must be 1 to {MAX_SECRET_BYTES}")


def encode_body(body: dict[str, Any]) -> bytes:
    """The body as compact UTF-8 JSON; refused when it is no JSON object, is over 350 KB, or holds unportable numbers."""
    if not isinstance(body, dict):
        raise ProfileError(f"a body must be a JSON object, not {type(body).__name__}")
    return encode_json(body, "body")


def encode_json(value: Any, name: str) -> bytes:
    """Any JSON value, called `name` in errors, as compact UTF-8 JSON under the same limits as a body."""
    _check_json(value, name)
    try:
        encoded = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    except UnicodeEncodeError as exc:
        raise ProfileError(f"{name} holds a lone surrogate, which is no valid UTF-8") from exc
    if len(encoded) > MAX_BODY_BYTES:
        raise ProfileError(f"{name} is {len(encoded)} bytes as JSON; the limit is {MAX_BODY_BYTES}")
    return encoded


def _check_json(value: Any, path: str, depth: int = 0) -> None:
    if depth > 30:  # DynamoDB nests to 32 levels
        raise ProfileError(f"{path} nests deeper than 30 levels")
    match value:
        case None | bool() | str():
            pass
        case int():
            if abs(value) > MAX_INTEGER:
                raise ProfileError(f"{path} is {value}; integers must lie within ±(2^53-1)")
        case float():
            if not math.isfinite(value):
                raise ProfileError(f"{path} is {value}; floats must be finite")
        case dict():
            for key, item in value.items():
                if not isinstance(key, str) or not key:
                    raise ProfileError(f"{path} has the key {key!r}; keys must be non-empty strings")
                _check_json(item, f"{path}.{key}", depth + 1)
        case list() | tuple():
            for index, item in enumerate(value):
                _check_json(item, f"{path}[{index}]", depth + 1)
        case _:
            raise ProfileError(f"{path} is a {type(value).__name__}, which JSON can't hold")
