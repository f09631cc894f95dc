"""The client's address: from the hop that is trusted, never from what a client may write itself."""

import ipaddress

from twofold.http.lifespan import ASGIApp, Receive, Scope, Send
from twofold.http.security_headers import header


def client_address(app: ASGIApp, *, deployed: bool, hops: int = 1) -> ASGIApp:
    """Sets `scope["client"]` from the `X-Forwarded-For` entry that the outermost of `hops` proxies appended.

    Deployed, those are the cloud's own: front end, gateway, edge. In a checkout the entry counts only when the connection
    comes from loopback. What a client forged stands further left and is ignored; with fewer entries than proxies none counts.
    """

    async def layer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (deployed or _loopback(scope)):
            forwarded = (header(scope, b"x-forwarded-for") or "").split(",")
            if len(forwarded) >= hops and (address := _address(forwarded[-hops])) is not None:
                scope = {**scope, "client": (address, 0)}
        await app(scope, receive, send)

    return layer


def _loopback(scope: Scope) -> bool:
    client = scope.get("client")
    return client is None or (_address(client[0]) or "").startswith("127.") or client[0] == "::1"


def _address(text: str) -> str | None:
    """An IP address without the port that Azure's front end appends; None when the text is none."""
    text = text.strip()
    for candidate in (text, text.rpartition(":")[0].strip("[]")):
        try:
            return str(ipaddress.ip_address(candidate))
        except ValueError:
            continue
    return None
