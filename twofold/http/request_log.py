"""One structured line per request: method, path, status, milliseconds, request id. No bodies, queries or headers."""

import json
import logging
import re
import time
import uuid
from typing import Any

from twofold.http.lifespan import ASGIApp, Receive, Scope, Send
from twofold.http.security_headers import header

log = logging.getLogger("twofold.request")
_ID = re.compile(r"[\w.-]{1,64}", re.ASCII)


def request_log(app: ASGIApp) -> ASGIApp:
    """Logs each request as JSON and answers with `X-Request-Id`: the caller's own when it is harmless, else a new one."""

    async def layer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await app(scope, receive, send)
        given = header(scope, b"x-request-id") or ""
        request_id = given if _ID.fullmatch(given) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        status, started = 500, time.perf_counter()

        async def noting(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = [*message.get("headers", ()), (b"x-request-id", request_id.encode())]
                message = {**message, "headers": headers}
            await send(message)

        try:
            await app(scope, receive, noting)
        finally:
            line = {
                "event": "request",
                "method": scope["method"],
                "path": scope["path"],
                "status": status,
                "ms": round((time.perf_counter() - started) * 1000, 1),
                "request_id": request_id,
            }
            log.info("%s", json.dumps(line, ensure_ascii=False))

    return layer
