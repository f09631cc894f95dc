"""The outermost layer: each request is an entry of its trace, and one line in the log. No bodies, queries or headers."""

import logging
import re
import time
from typing import Any

from twofold.http.lifespan import ASGIApp, Receive, Scope, Send
from twofold.http.security_headers import header
from twofold.portable.logs import event, pseudonym
from twofold.portable.metrics import REQUESTS, observe
from twofold.portable.telemetry import SERVER, Telemetry

log = logging.getLogger("twofold.request")
_ID = re.compile(r"[\w.-]{1,64}", re.ASCII)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE", "QUERY"})
PROBES = "/health/"
"""Requests below this are logged, but not recorded in traces."""


def request_log(app: ASGIApp, telemetry: Telemetry, service: str) -> ASGIApp:
    """Continues the trace of the caller's `traceparent`, or begins one, and logs each request when it has ended.

    Answers with `X-Request-Id`: the caller's own when it is harmless, else the trace's id.
    """

    async def layer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await app(scope, receive, send)
        method, path = scope["method"] if scope["method"] in _METHODS else "_OTHER", scope["path"]
        attributes = {
            "http.request.method": method,
            "url.path": path,
            "url.scheme": scope.get("scheme", "http"),
            "network.protocol.version": scope.get("http_version", "1.1"),
        }
        parent, probe = header(scope, b"traceparent"), path.startswith(PROBES)
        with telemetry.entry(method, SERVER, parent, attributes, record=not probe) as span:
            own = header(scope, b"x-request-id") or ""
            request_id = own if _ID.fullmatch(own) else span.trace_id
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
                route = getattr(scope.get("route"), "path", None)
                span.set({"http.response.status_code": status} | ({"http.route": route} if route else {}))
                if route:
                    span.rename(f"{method} {route}")
                if status >= 500:
                    span.fail(str(status))
                if not probe:
                    labels = {"method": method, "route": route or "", "status": str(status)}
                    observe(REQUESTS, time.perf_counter() - started, **labels)
                principal = scope["state"].get("principal")
                level = logging.ERROR if status >= 500 else logging.INFO
                if probe and status != 500:  # a 503 of /health/ready has its own lines
                    level = logging.DEBUG
                event(
                    log, "request", f"{method} {path} {status}", started=started,
                    outcome="failure" if status >= 500 else "success", level=level,
                    event__reason=scope["state"].get("reason") or None if status in (401, 403) else None,
                    http__request__method=method, url__path=path, labels__route=route,
                    http__response__status_code=status, http__request__id=request_id,
                    user__hash=pseudonym(principal.subject, service=service) if principal else None,
                )  # fmt: skip

    return layer
