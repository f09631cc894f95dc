"""Requests that did not come through the edge are refused: an HTTP API has an address of its own beside CloudFront's."""

import hashlib
import hmac

from twofold.http.lifespan import ASGIApp, Receive, Scope, Send
from twofold.http.problem import Problem
from twofold.settings import EDGE_HEADER


def only_through_edge(app: ASGIApp, digest: str) -> ASGIApp:
    """Answers 403 unless the edge's header has the value whose SHA-256 is `digest`; the application never sees the header.

    The value is random and long, so the digest tells nothing: the secret is in no setting, and only the edge has it.
    """
    name = EDGE_HEADER.lower().encode()

    async def layer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            values = [value for key, value in scope["headers"] if key.lower() == name]
            actual = hashlib.sha256(values[0]).hexdigest() if len(values) == 1 else ""
            if not hmac.compare_digest(actual, digest):
                raise Problem(403, "forbidden", "reach this service through its edge")
            scope = {**scope, "headers": [pair for pair in scope["headers"] if pair[0].lower() != name]}
        await app(scope, receive, send)

    return layer
