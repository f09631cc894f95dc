"""Security headers on each answer, and the content security policy that its kind gets."""

from collections.abc import Collection
from typing import Any

from twofold.http.docs_policy import docs_policy
from twofold.http.lifespan import ASGIApp, Receive, Scope, Send
from twofold.response_headers import HEADERS, PAGE_POLICY

API_POLICY = b"default-src 'none'; frame-ancestors 'none'"


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
