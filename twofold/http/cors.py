"""Cross-origin requests (Fetch standard, "CORS protocol"): from the origins that the settings name, no others."""

from collections.abc import Collection
from typing import Any

from twofold.http.lifespan import ASGIApp, Receive, Scope, Send
from twofold.http.problem import Problem
from twofold.http.security_headers import header

METHODS = b"GET, HEAD, POST, PUT, PATCH, DELETE"
REQUEST_HEADERS = b"authorization, content-type, idempotency-key, if-match, if-none-match, x-request-id"
EXPOSED = (
    b"etag, idempotency-replayed, location, ratelimit, ratelimit-policy, retry-after, www-authenticate, x-request-id"
)
MAX_AGE_SECONDS = b"600"


def cors(app: ASGIApp, origins: Collection[str]) -> ASGIApp:
    """Lets pages of `origins` call the application with a bearer token; cookies are never sent along.

    Preflights are answered here, 204 or 403. Every answer varies by Origin. Without origins `app` is left as it is.
    """

    async def layer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await app(scope, receive, send)
        origin = header(scope, b"origin")
        allowed = origin in origins

        async def adding(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": _answer(message.get("headers", ()), origin if allowed else None)}
            await send(message)

        if scope["method"] != "OPTIONS" or origin is None or header(scope, b"access-control-request-method") is None:
            return await app(scope, receive, adding)
        if not allowed:
            return await Problem(403, "origin-not-allowed", "pages of this origin may not call this service").send(
                adding
            )
        headers = [
            (b"access-control-allow-methods", METHODS),
            (b"access-control-allow-headers", REQUEST_HEADERS),
            (b"access-control-max-age", MAX_AGE_SECONDS),
        ]
        await adding({"type": "http.response.start", "status": 204, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    return layer if origins else app


def _answer(headers: Any, origin: str | None) -> list[tuple[bytes, bytes]]:
    passed = [(name, value) for name, value in headers if name.lower() != b"vary"]
    vary = [value for name, value in headers if name.lower() == b"vary"]
    passed.append((b"vary", b", ".join([*vary, b"Origin"])))
    if origin is not None:
        passed = [
            (name, value) for name, value in passed if not name.lower().startswith(b"access-control-allow-origin")
        ]
        passed += [
            (b"access-control-allow-origin", origin.encode("latin-1")),
            (b"access-control-expose-headers", EXPOSED),
            # Fetched on purpose by a page that may: the default, same-origin, is for everybody else.
            (b"cross-origin-resource-policy", b"cross-origin"),
        ]
    return passed
