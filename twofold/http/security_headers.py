"""Response headers that keep a browser from doing more with an answer than it should (OWASP secure headers)."""

from collections.abc import Collection
from typing import Any

from twofold.http.docs_policy import docs_policy
from twofold.http.lifespan import ASGIApp, Receive, Scope, Send

HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"strict-transport-security", b"max-age=31536000"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
    (b"cache-control", b"no-store"),
)
API_POLICY = b"default-src 'none'; frame-ancestors 'none'"
PAGE_POLICY = b"base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
"""For an application's own pages: what they load is theirs to say, in a policy of their own."""


def security_headers(app: ASGIApp, *, docs: Collection[str] = (), connect: Collection[str] = ()) -> ASGIApp:
    """Adds each of `HEADERS` and a content security policy to answers that don't set it themselves.

    Nothing may be loaded by an answer, or framed. HTML pages at the paths `docs` may load what they name themselves and
    connect to this origin and the origins `connect`, no more.
    """

    async def layer(scope: Scope, receive: Receive, send: Send) -> None:
        page: list[Any] = []  # of the docs: its policy follows from its text, so it waits for that

        async def adding(message: Any) -> None:
            if page:
                page.append(message)
                if not message.get("more_body"):
                    policy = docs_policy(b"".join(part.get("body", b"") for part in page[1:]), connect)
                    await send(_with(page[0], policy))
                    for part in page[1:]:
                        await send(part)
            elif message["type"] != "http.response.start":
                await send(message)
            elif _is_html(message) and scope["path"] in docs and message["status"] == 200:
                page.append(message)
            else:
                await send(_with(message, PAGE_POLICY if _is_html(message) else API_POLICY))

        await app(scope, receive, adding if scope["type"] == "http" else send)

    return layer


def header(scope: Scope, name: bytes) -> str | None:
    """The first value of a request header, or None."""
    for key, value in scope["headers"]:
        if key.lower() == name:
            text: str = value.decode("latin-1")
            return text
    return None


def _with(start: Any, policy: bytes) -> Any:
    headers = list(start.get("headers", ()))
    present = {name.lower() for name, _ in headers}
    wanted = (*HEADERS, (b"content-security-policy", policy))
    return {**start, "headers": headers + [pair for pair in wanted if pair[0] not in present]}


def _is_html(start: Any) -> bool:
    return any(
        name.lower() == b"content-type" and value.startswith(b"text/html") for name, value in start.get("headers", ())
    )
