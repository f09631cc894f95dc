"""What both gateways are told, read from the one OpenAPI document: its operations, and who may call each.

A requirement is read as OpenAPI 3.1 has it, whatever the scheme: the operation's `security`, else the document's. `security: []`
and the routes that the kit serves itself (`OWN`, `HEALTH`) need no token; an operation that says nothing needs a token.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from twofold.deploy.config import ConfigError

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
OWN = ("/docs", "/docs/oauth2-redirect", "/openapi.json")
"""Paths that are served and not in the document: FastAPI does not list them."""
HEALTH = ("/health/live", "/health/ready")
READS = ("GET", "HEAD", "OPTIONS")
RATE_PER_SECOND = 200
"""Requests that a gateway lets through, of all callers together; a quarter of it for a route that writes."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One route. A caller without a token passes when it is `open`; else with one that holds any of `scopes`, if it has any.

    Any, not each: a gateway can ask for no more (an HTTP API's authorizer knows no "all"); the service itself is exact.
    """

    id: str
    """As API Management would normalize the document's: so that a policy may name it."""
    method: str
    path: str
    open: bool
    scopes: tuple[str, ...] = ()

    @property
    def route(self) -> str:
        """`GET /orders/{order_id}`."""
        return f"{self.method} {self.path}"

    @property
    def reads(self) -> bool:
        """Whether its method is safe (RFC 9110)."""
        return self.method in READS


def operations(document: Mapping[str, Any]) -> tuple[Operation, ...]:
    """Every route of the service, in the order of path and method. Raises ConfigError when a name stands twice."""
    every = [Operation(_normal(f"GET {path}"), "GET", path, open=True) for path in OWN]
    for path, item in document.get("paths", {}).items():
        for method in METHODS:
            if method in item:
                every.append(_operation(method.upper(), path, item[method], document.get("security")))
    # A preflight has no token; the service answers it, so that one place decides on origins.
    every.append(Operation("preflight", "OPTIONS", "/*", open=True))
    ids = [operation.id for operation in every]
    if twice := sorted({operation_id for operation_id in ids if ids.count(operation_id) > 1}):
        raise ConfigError(
            f"openapi.json has the operationId {', '.join(twice)} twice; give each route a name of its own"
        )
    return tuple(sorted(every, key=lambda operation: (operation.path, operation.method)))


def _operation(method: str, path: str, stated: Mapping[str, Any], default: Any) -> Operation:
    requirements = stated.get("security", default)
    # `{}` among the requirements makes them optional.
    is_open = path in HEALTH or requirements == [] or (requirements is not None and {} in requirements)
    scopes = {scope for requirement in requirements or () for listed in requirement.values() for scope in listed}
    # One of the alternatives asks for a token alone.
    free = any(not any(requirement.values()) for requirement in requirements or ())
    held = () if is_open or free else tuple(sorted(scopes))
    return Operation(_normal(stated.get("operationId") or f"{method} {path}"), method, path, is_open, held)


def _normal(operation_id: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", operation_id.lower()).strip("-")[:76]
