"""A request's body, read whole and handed on as if nobody had."""

from typing import Any

from twofold.http.lifespan import Receive
from twofold.http.problem import Problem


async def read(receive: Receive) -> bytes:
    """The body to its end. Raises a Problem when the client leaves before it."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Problem(400, "client-disconnected", "the request body ended early")
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def replayed(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives this body once, then what `receive` gives."""
    sent = False

    async def replay() -> Any:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
