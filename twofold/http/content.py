"""What a request body may be: of a media type that its operation takes, and JSON that every parser reads alike."""

import json
import re
from array import array
from collections.abc import Mapping
from email.message import Message
from itertools import accumulate
from typing import Any

from twofold.http.body import read, replayed
from twofold.http.lifespan import ASGIApp, Receive, Scope, Send
from twofold.http.openapi import Operations
from twofold.http.problem import Problem
from twofold.http.security_headers import header
from twofold.portable import strict_json
from twofold.portable.profile import MAX_JSON_DEPTH

JSON = "application/json"

_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_NESTING = bytes(1 if char in b"[{" else 255 if char in b"]}" else 0 for char in range(256))
_NO_BRACKETS = bytes(char for char in range(256) if char not in b"[]{}")
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def content_rules(app: ASGIApp, operations: Operations) -> ASGIApp:
    """Answers 415 to a body of a media type, charset or coding that the operation does not take.

    A body that says it is JSON is UTF-8 and valid (RFC 8259), no object in it has a name twice, no string half of a
    surrogate pair: else 400. Nested deeper than 64 it is 422, told by a scan that does not recurse. Other bodies stream on;
    a GET's that the operation does not declare is left alone.
    """

    async def layer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await app(scope, receive, send)
        content_type = Message()
        content_type["content-type"] = header(scope, b"content-type") or "application/octet-stream"
        media_type = content_type.get_content_type()
        is_json = media_type == JSON or (media_type.startswith("application/") and media_type.endswith("+json"))
        takes = _accepted(operations.find(scope))
        if takes is None and scope["method"] in ("GET", "HEAD", "OPTIONS"):
            return await app(scope, receive, send)  # nothing reads it
        refused = takes is not None and (JSON if is_json else media_type) not in takes and "*/*" not in takes
        if is_json:
            coding = header(scope, b"content-encoding") or "identity"
            refused |= coding.lower() != "identity" or (content_type.get_content_charset() or "utf-8") != "utf-8"
        if refused:
            message = await receive()
            while not message.get("body") and message.get("more_body"):
                message = await receive()
            if message.get("body"):
                kinds = ", ".join(sorted(takes or {JSON}))
                raise Problem(
                    415, "unsupported-media-type", f"this takes {kinds}, in UTF-8, not coded", headers={"Accept": kinds}
                )
            return await app(scope, replayed(b"", receive), send)
        if not is_json:
            return await app(scope, receive, send)
        body = await read(receive)
        if body:
            check_json(body)
        await app(scope, replayed(body, receive), send)

    return layer


def _accepted(operation: Mapping[str, Any] | None) -> frozenset[str] | None:
    """The media types that an operation declares; None where it, or nobody, says anything."""
    return frozenset(operation["requestBody"]["content"]) if operation and "requestBody" in operation else None


def check_json(body: bytes) -> None:
    """Raises a Problem unless `body` is JSON as `content_rules` promises."""
    if depth(body) > MAX_JSON_DEPTH:
        raise Problem(422, "limit-exceeded", f"JSON may be nested {MAX_JSON_DEPTH} levels deep")
    try:
        # Bytes would be read as UTF-16 or UTF-32 where they look like it.
        value = strict_json.loads(body.decode())
        if _SURROGATE.search(body):
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeError as exc:
        raise Problem(400, "invalid-json", "the body is not UTF-8, or has half of a surrogate pair") from exc
    except ValueError as exc:
        raise Problem(400, "invalid-json", f"the body is not JSON: {exc}") from exc


def depth(body: bytes) -> int:
    """How deep brackets are nested outside of strings, in one pass without recursion."""
    brackets = _STRING.sub(b"", body).translate(_NESTING, _NO_BRACKETS)
    return max(accumulate(array("b", brackets)), default=0)
