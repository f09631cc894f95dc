"""The gateway's side of a request, taken off: behind API Management `Authorization` is the gateway's own, for the host.

The host (App Service authentication) has verified it and says whose it is in `X-MS-CLIENT-PRINCIPAL-ID`, a header that it takes
away from what comes from outside. The caller's token waits in `CALLER_HEADER`; the service verifies it as ever.
"""

from twofold.http.lifespan import ASGIApp, Receive, Scope, Send
from twofold.http.problem import Problem
from twofold.settings import CALLER_HEADER

PRINCIPAL = b"x-ms-client-principal-id"
USER_TOKEN = CALLER_HEADER.lower().encode()


def through_gateway(app: ASGIApp, gateway_id: str) -> ASGIApp:
    """Gives the application the caller's `Authorization`, or none; 403 when the host names anybody but the gateway.

    Without a `gateway_id` there is no gateway, and requests stay as they are.
    """
    if not gateway_id:
        return app

    async def layer(scope: Scope, receive: Receive, send: Send) -> None:
        headers: dict[bytes, list[bytes]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.lower(), []).append(value)
        if headers.get(PRINCIPAL) != [gateway_id.encode()]:
            await Problem(403, "forbidden", "reach this service through its gateway").send(send)
            return
        passed = [(n, v) for n, v in scope["headers"] if n.lower() != b"authorization" and not _of_gateway(n.lower())]
        passed += [(b"authorization", value) for value in headers.get(USER_TOKEN, ()) if value]
        await app({**scope, "headers": passed}, receive, send)

    return layer


def _of_gateway(name: bytes) -> bool:
    return name == USER_TOKEN or name.startswith((b"x-ms-client-principal", b"x-ms-token-"))
