"""RFC 9457 problem details: every error of every door is `application/problem+json` with a stable `type`.

Types are `urn:twofold:problem:<slug>`: names to compare, not addresses to open.
"""

import json
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from twofold.errors import (
    Conflict,
    IssuerUnavailable,
    PositionError,
    ProfileError,
    QueueUnavailable,
    SecretsUnavailable,
    StoreThrottled,
    StoreUnavailable,
    UnknownCollection,
)
from twofold.http.lifespan import ASGIApp, Receive, Scope, Send
from twofold.http.openapi import MEDIA_TYPE, document
from twofold.portable.failure import reason
from twofold.portable.idempotency import FingerprintMismatch, InProgress

if TYPE_CHECKING:
    from fastapi import FastAPI, Request, Response

log = logging.getLogger("twofold.http")


class Problem(Exception):
    """An answer that is a problem. `type` is the slug; `extra` are further members, `headers` further header fields."""

    def __init__(
        self,
        status: int,
        type: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(detail)
        self.status, self.type, self.detail = status, type, detail
        self.headers = dict(headers or {})
        self.extra = extra

    def body(self) -> bytes:
        """The problem as JSON."""
        members = {
            "type": f"urn:twofold:problem:{self.type}",
            "title": self.type.replace("-", " ").capitalize(),
            "status": self.status,
            "detail": self.detail,
            **self.extra,
        }
        return json.dumps(members, ensure_ascii=False, default=str).encode("utf-8", "replace")

    async def send(self, send: Send) -> None:
        """Answers with this problem."""
        body = self.body()
        headers = {"content-type": MEDIA_TYPE, "content-length": str(len(body)), **self.headers}
        raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": raw})
        await send({"type": "http.response.body", "body": body})


_RETRY = {"Retry-After": "1"}


def problem_of(exc: BaseException) -> Problem | None:
    """The problem that an error of the kit stands for; None for an error that nobody foresaw."""
    match exc:
        case Problem():
            return exc
        case Conflict():
            return Problem(409, "conflict", "somebody else changed this at the same time; read again and retry")
        case FingerprintMismatch():
            return Problem(422, "idempotency-key-reused", str(exc))
        case InProgress():
            return Problem(409, "idempotency-in-progress", str(exc), headers=_RETRY)
        case UnknownCollection():
            return None  # nobody who calls the service could do better
        case ProfileError() | PositionError():
            return Problem(422, "limit-exceeded", str(exc))
        case StoreThrottled():
            return Problem(503, "overloaded", "the store is overloaded; retry later", headers=_RETRY)
        case StoreUnavailable() | SecretsUnavailable() | QueueUnavailable() | IssuerUnavailable():
            return Problem(503, "unavailable", "a service behind this one does not answer; retry later", headers=_RETRY)
        case _:
            return None


def boundary(app: ASGIApp) -> ASGIApp:
    """Turns whatever escapes `app` into a problem; a 500 names nothing of the inside, the log has the traceback."""

    async def layer(scope: Scope, receive: Receive, send: Send) -> None:
        started = False
        held: list[Any] = []

        async def watched(message: Any) -> None:
            nonlocal started
            # Starlette answers an unhandled exception in plain text before it raises it: a 500 waits for how this ends.
            if held or (message["type"] == "http.response.start" and message["status"] == 500):
                held.append(message)
                return
            started = True
            await send(message)

        try:
            await app(scope, receive, watched)
            for message in held:
                await send(message)
        except Exception as exc:
            problem = problem_of(exc)
            if problem is None or problem.status >= 500:
                log.exception("%s %s failed", scope.get("method"), scope.get("path"))
            if started or scope["type"] != "http":
                raise
            _remember(scope, problem.detail if problem else "")
            await (problem or Problem(500, "internal-error", "something went wrong here; it is in the log")).send(send)

    return layer


def _remember(scope: Scope, detail: str) -> None:
    """For the request's line in the log, which tells why somebody was not let in."""
    scope.setdefault("state", {})["reason"] = detail


def install(app: "FastAPI") -> None:
    """Gives a FastAPI application problem details for its own errors: validation, HTTPException, 404, 405, the kit's.

    Its OpenAPI document then lists what the layers around it may answer, too.
    """
    from fastapi.exceptions import RequestValidationError
    from fastapi.responses import Response
    from starlette.exceptions import HTTPException

    from twofold.errors import TwofoldError

    def answer(problem: Problem) -> Response:
        return Response(problem.body(), problem.status, problem.headers, MEDIA_TYPE)

    async def invalid(request: "Request", exc: Exception) -> "Response":
        assert isinstance(exc, RequestValidationError)
        errors = [
            {"in": str(error["loc"][0]), "at": ".".join(map(str, error["loc"][1:])), "detail": error["msg"]}
            for error in exc.errors()
        ]
        return answer(Problem(422, "invalid-request", "the request is not valid; see errors", errors=errors))

    async def http(request: "Request", exc: Exception) -> "Response":
        assert isinstance(exc, HTTPException)
        _remember(request.scope, str(exc.detail))
        phrase = HTTPStatus(exc.status_code).phrase
        slug = phrase.lower().replace(" ", "-").replace("'", "")
        return answer(Problem(exc.status_code, slug, str(exc.detail or phrase), headers=exc.headers))

    async def known(request: "Request", exc: Exception) -> "Response":
        problem = problem_of(exc)
        if problem is None:
            raise exc  # the boundary logs it and answers 500
        if problem.status >= 500:
            log.error("%s %s: %s", request.method, request.url.path, reason(exc))
        _remember(request.scope, problem.detail)
        return answer(problem)

    document(app)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Problem, known)
    app.add_exception_handler(TwofoldError, known)
