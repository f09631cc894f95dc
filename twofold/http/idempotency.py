"""`Idempotency-Key` (IETF draft-ietf-httpapi-idempotency-key-header) on unsafe methods, for any ASGI application.

The first answer below 500 is stored and replayed for a day, with `Idempotency-Replayed: true`. Another request under the
same key is 422; one that comes while the first still runs is 409. Keys are the caller's own: two subjects never meet under one.
Answers over 256 KB are not kept, nor refusals that another token or another time would not get (401, 403, 429). A key in quotes,
as the draft writes it, and the same without are one.
"""

import base64
import hashlib
import re
import uuid
from typing import Any
from urllib.parse import quote

from twofold.http.body import read, replayed
from twofold.http.lifespan import ASGIApp, Receive, Scope, Send
from twofold.http.problem import Problem
from twofold.http.security_headers import header
from twofold.portable.idempotency import MAX_ANSWER_BYTES, Claim, Idempotency, derived_id

UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
NOT_KEPT = frozenset({401, 403, 429})
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_STRING = re.compile(r'"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"')  # a String of RFC 9651, as the draft has it


def operation_id(scope: Scope) -> str:
    """The id for what this request creates: derived from its Idempotency-Key, so that a re-execution meets its own work.

    Without a key it is random.
    """
    return operation_key(scope) or str(uuid.uuid4())


def operation_key(scope: Scope) -> str | None:
    """What names this request's operation at each execution: derived from subject, route and key. None without a key."""
    operation: str | None = scope.get("state", {}).get("operation_id")
    return operation


def _subject(scope: Scope) -> str:
    principal = scope.get("state", {}).get("principal")
    # Quoted and marked, so that no subject reads as another one's route, or as nobody.
    return "anonymous" if principal is None else f"sub={quote(principal.subject, safe='')}"


def idempotency(app: ASGIApp, records: Idempotency) -> ASGIApp:
    """Runs a request with an Idempotency-Key once. Raises what the store raises: without it there is no promise."""

    async def layer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in UNSAFE:
            return await app(scope, receive, send)
        key = header(scope, b"idempotency-key")
        if key is None:
            return await app(scope, receive, send)
        if quoted := _STRING.fullmatch(key):
            key = re.sub(r"\\(.)", r"\1", quoted[1])
        if not _KEY.fullmatch(key):
            raise Problem(400, "invalid-idempotency-key", "Idempotency-Key must be 1 to 255 visible ASCII characters")
        body = await read(receive)
        route = f"{_subject(scope)} {scope['method']} {scope['path']}"
        claim = await records.claim(route, key, _fingerprint(scope, body))
        if not isinstance(claim, Claim):
            return await _replay(claim, send)
        scope.setdefault("state", {})["operation_id"] = derived_id(route, key)
        answer = _Answer(send)
        try:
            await app(scope, replayed(body, receive), answer.send)
        except BaseException:
            await records.release(claim)
            raise
        if (record := answer.stored()) is not None:
            await records.complete(claim, record)
        else:
            await records.release(claim)
        await answer.flush()

    return layer


class _Answer:
    """Holds the answer back until its record is written: what a client has seen is what a repetition gets."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._messages: list[Any] = []

    async def send(self, message: Any) -> None:
        self._messages.append(message)

    def stored(self) -> dict[str, Any] | None:
        body = b"".join(message.get("body", b"") for message in self._messages[1:])
        status = self._messages[0]["status"] if self._messages else 500
        if status >= 500 or status in NOT_KEPT or len(body) > MAX_ANSWER_BYTES:
            return None
        return {
            "status": status,
            "headers": [[k.decode("latin-1"), v.decode("latin-1")] for k, v in self._messages[0]["headers"]],
            "body": base64.b64encode(body).decode(),
        }

    async def flush(self) -> None:
        for message in self._messages:
            await self._send(message)


async def _replay(answer: dict[str, Any], send: Send) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer["headers"]]
    headers.append((b"idempotency-replayed", b"true"))
    await send({"type": "http.response.start", "status": answer["status"], "headers": headers})
    await send({"type": "http.response.body", "body": base64.b64decode(answer["body"])})


def _fingerprint(scope: Scope, body: bytes) -> str:
    parts = (scope["method"].encode(), scope["path"].encode(), scope.get("query_string", b""), body)
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8) + part)
    return digest.hexdigest()
