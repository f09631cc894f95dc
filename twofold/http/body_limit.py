"""Request bodies of at most 3 MB, the portable profile's limit, refused before anything parses them."""

from typing import Any

from twofold.http.lifespan import ASGIApp, Receive, Scope, Send
from twofold.http.problem import Problem
from twofold.http.security_headers import header
from twofold.portable.profile import MAX_HTTP_BYTES


def body_limit(app: ASGIApp, *, limit: int = MAX_HTTP_BYTES) -> ASGIApp:
    """Answers 413 to a longer body, declared or streamed. Nothing of a body declared too long is read."""

    async def layer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await app(scope, receive, send)
        too_long = Problem(413, "content-too-large", f"a request body may have {limit} bytes")
        length = header(scope, b"content-length")
        if length is not None and length.isdigit() and int(length) > limit:
            raise too_long
        size = 0

        async def counted() -> Any:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > limit:
                raise too_long
            return message

        async def unless_too_long(message: Any) -> None:
            if size <= limit:
                await send(message)

        try:
            await app(scope, counted, unless_too_long)
        except Exception:
            if size <= limit:
                raise
        if size > limit:  # also when the application made something else of the failed read, as FastAPI does
            raise too_long

    return layer
