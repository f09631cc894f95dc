"""Limits on what comes before a body: the request's target and its header fields, the stricter of both clouds' limits.

Azure Functions takes a URL of 8,192 bytes with a query of 4,096; API Gateway takes header fields of 10,240 bytes together.
"""

from twofold.http.lifespan import ASGIApp, Receive, Scope, Send
from twofold.http.problem import Problem
from twofold.portable.profile import MAX_HEADER_BYTES, MAX_HEADERS, MAX_QUERY_BYTES, MAX_TARGET_BYTES


def request_limits(app: ASGIApp) -> ASGIApp:
    """Answers 414 to a longer target or query, 431 to more header fields or bytes of them."""

    async def layer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            query = len(scope.get("query_string", b""))
            path = len(scope.get("raw_path") or scope["path"].encode("utf-8", "replace"))
            if query > MAX_QUERY_BYTES or path + query > MAX_TARGET_BYTES:
                raise Problem(
                    414, "uri-too-long", f"a URL may have {MAX_TARGET_BYTES} bytes, its query {MAX_QUERY_BYTES}"
                )
            size = sum(len(name) + len(value) for name, value in scope["headers"])
            if len(scope["headers"]) > MAX_HEADERS or size > MAX_HEADER_BYTES:
                raise Problem(
                    431,
                    "request-header-fields-too-large",
                    f"a request may have {MAX_HEADERS} header fields of {MAX_HEADER_BYTES} bytes together",
                )
        await app(scope, receive, send)

    return layer
