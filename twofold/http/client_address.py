"""The client's address: from the hop that is trusted, never from what a client may write itself."""

import ipaddress

from twofold.http.lifespan import ASGIApp, Receive, Scope, Send


def client_address(app: ASGIApp, *, deployed: bool, hops: int = 1) -> ASGIApp:
    """Sets `scope["client"]` from the `X-Forwarded-For` entry that the outermost of `hops` proxies appended.

    Deployed, those are the cloud's own: front end, gateway, edge. In a checkout the entry counts only when the connection
    comes from loopback. What a client forged stands further left and is ignored; with fewer entries than proxies none counts.
    """

    async def layer(scope: Scope, receive: Receive, send: Send) -> None:
        trusted = scope["type"] == "http" and (deployed or _loopback(scope))
        if trusted and (address := _address(_entry(scope, hops))) is not None:
            scope = {**scope, "client": (address, 0)}
        await app(scope, receive, send)

    return layer


def _entry(scope: Scope, hops: int) -> str:
    """So many entries from the end, over all fields: a proxy may add a line of its own instead of appending to the client's."""
    lines = [value.decode("latin-1") for name, value in scope["headers"] if name.lower() == b"x-forwarded-for"]
    entries = ",".join(lines).split(",")
    return entries[-hops] if len(entries) >= hops else ""


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
