"""What the layers around an application may answer, in its OpenAPI document: each operation lists every status it can have."""

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from twofold.http.lifespan import Scope

if TYPE_CHECKING:
    from fastapi import FastAPI

MEDIA_TYPE = "application/problem+json"
UNSAFE = ("post", "put", "patch", "delete")
SCHEMA = {
    "title": "Problem",
    "description": "RFC 9457 problem details; `type` is stable.",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri", "examples": ["urn:twofold:problem:not-found"]},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["in", "at", "detail"],
                "properties": {name: {"type": "string"} for name in ("in", "at", "detail")},
            },
        },
    },
}


class Operations:
    """An application's operations, as its OpenAPI document has them; none of one without a document.

    The document is made at the first look, not at the start.
    """

    def __init__(self, app: Any) -> None:
        self._app = app

    def find(self, scope: Scope) -> Mapping[str, Any] | None:
        """The operation that a request asks for; None for what the document does not tell."""
        for method, path, operation in self._table:
            if method == scope["method"] and path.fullmatch(scope["path"]):
                return operation
        return None

    @cached_property
    def _table(self) -> list[tuple[str, re.Pattern[str], Mapping[str, Any]]]:
        document = self._app.openapi() if hasattr(self._app, "openapi") else {}
        return [
            (method.upper(), re.compile("[^/]+".join(map(re.escape, re.split(r"\{[^}]*\}", path)))), operation)
            for path, operations in document.get("paths", {}).items()
            for method, operation in operations.items()
        ]


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """An operation's own problems, as FastAPI's `responses`. What the layers answer need not be listed."""
    return {status: _response(status) for status in statuses}


def document(app: "FastAPI") -> None:
    """Makes `app.openapi()` tell the layers' answers beside the operations' own."""
    plain = app.openapi

    def complete() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _complete(plain())
        return app.openapi_schema

    app.openapi = complete  # type: ignore[method-assign]  # as FastAPI's documentation has it


def _complete(schema: dict[str, Any]) -> dict[str, Any]:
    schemas = schema.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = SCHEMA
    for operations in schema["paths"].values():
        for method, operation in operations.items():
            answers = operation["responses"]
            if "HTTPValidationError" in str(
                answers.get("422")
            ):  # FastAPI's own shape, which `problem.install` replaces
                del answers["422"]
                answers["422"] = _response(422)
            for status in _statuses(method, operation):
                answers.setdefault(str(status), _response(status))
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    return schema


def _statuses(method: str, operation: dict[str, Any]) -> Iterator[int]:
    yield from (413, 414, 429, 431)
    if method in UNSAFE or "requestBody" in operation:
        yield from (400, 409, 422, 503)
    if "requestBody" in operation:
        yield 415
    if operation.get("security"):
        yield from (401, 403)


def _response(status: int) -> dict[str, Any]:
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": HTTPStatus(status).phrase, "content": content}
