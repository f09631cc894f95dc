"""Response headers that keep a browser from doing more with an answer than it should (OWASP secure headers)."""

from typing import Any

from twofold.http.lifespan import ASGIApp, Receive, Scope, Send

HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"strict-transport-security", b"max-age=31536000"),
    (b"cache-control", b"no-store"),
)


def security_headers(app: ASGIApp) -> ASGIApp:
    """Adds each of `HEADERS` to answers that don't set it themselves."""

    async def layer(scope: Scope, receive: Receive, send: Send) -> None:
        async def adding(message: Any) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                present = {name.lower() for name, _ in headers}
                message = {**message, "headers": headers + [pair for pair in HEADERS if pair[0] not in present]}
            await send(message)

        await app(scope, receive, adding if scope["type"] == "http" else send)

    return layer


def header(scope: Scope, name: bytes) -> str | None:
    """The first value of a request header, or None."""
    for key, value in scope["headers"]:
        if key.lower() == name:
            text: str = value.decode("latin-1")
            return text
    return None
