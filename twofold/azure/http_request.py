"""A Functions HTTP request as an ASGI call, and its answer back.

Written here rather than taken from the SDK's adapter, which decodes the path twice, has no client address, answers an
escaping exception with an empty 500 and runs the lifespan once per concurrent first request.
"""

from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

import azure.functions as func

from twofold.http.lifespan import ASGIApp


async def serve(app: ASGIApp, request: func.HttpRequest) -> func.HttpResponse:
    """Serves one request. Repeated response headers other than cookies are joined by commas, as the host needs it."""
    body, sent = request.get_body(), False
    status, headers, parts = 500, [], []

    async def receive() -> dict[str, Any]:
        nonlocal sent
        if sent:
            return {"type": "http.disconnect"}
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status, headers = message["status"], list(message.get("headers", ()))
        else:
            parts.append(message.get("body", b""))

    await app(scope_of(request), receive, send)
    return func.HttpResponse(b"".join(parts), status_code=status, headers=joined(headers))


def scope_of(request: func.HttpRequest) -> dict[str, Any]:
    """The ASGI scope of a request. Bytes that are no UTF-8 in the path become U+FFFD, as with other servers' 404."""
    url = urlsplit(request.url)
    raw_path = url.path or "/"
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": url.scheme or "https",
        "path": unquote_to_bytes(raw_path).decode("utf-8", "replace"),
        "raw_path": raw_path.encode("utf-8", "replace"),
        "query_string": url.query.encode("ascii", "replace"),
        "root_path": "",
        "headers": [(k.lower().encode("latin-1"), v.encode("latin-1", "replace")) for k, v in request.headers.items()],
        "client": None,
        "server": (url.hostname or "localhost", url.port or (443 if url.scheme == "https" else 80)),
    }


def joined(headers: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by name. The host takes one value a name; cookies are handed over by the SDK from one joined value."""
    result: dict[str, str] = {}
    for name, value in headers:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        result[key] = f"{result[key]}, {text}" if key in result else text
    return result
