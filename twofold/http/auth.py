"""Who may do what: bearer tokens (RFC 6750) outside the application, scopes at each route of it.

`authenticate` finds out who calls; `admit`, further in, turns bad tokens away, so that a rate limiter between the two counts them.
A route says what it needs, and OpenAPI shows it:

    @router.get("/orders/{id}")
    async def get(id: str, caller: Annotated[Principal, Security(authorize, scopes=["orders.read"])]) -> OrderView: ...

Active in services whose manifest declares `scopes`. A route that asks for nothing is open here; the gateways still want a token for
it, unless its `openapi_extra={"security": []}` says that it is meant.
"""

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Request, Security
from fastapi.security import OpenIdConnect, SecurityScopes

from twofold.errors import IssuerUnavailable, TokenRefused
from twofold.http.lifespan import ASGIApp, Receive, Scope, Send
from twofold.http.openapi import Operations
from twofold.http.problem import Problem, problem_of
from twofold.portable.access_token import Principal, TokenVerifier

if TYPE_CHECKING:
    from fastapi import FastAPI

DISCOVERY_PATH = "/.well-known/openid-configuration"
SCHEME_NAME = "oidc"
SCHEME = OpenIdConnect(
    openIdConnectUrl=DISCOVERY_PATH,
    scheme_name=SCHEME_NAME,
    description="An access token of the service's issuer, with the scopes that the operation lists.",
    auto_error=False,
)
"""In OpenAPI: the checkout's own issuer, which `show_issuer` replaces by the one that the settings name."""
_BEARER = re.compile(r"(?i:bearer)(?: +(.*))?")


def authenticate(app: ASGIApp, tokens: TokenVerifier) -> ASGIApp:
    """Sets `scope["state"]["principal"]` to the Principal of a good token, else to None.

    Without a bearer token nothing more happens. One that is not valid, or can't be checked since the issuer is down, is
    remembered as a Problem in `scope["state"]["refused"]`: `admit` raises it.
    """

    async def layer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            state = scope.setdefault("state", {})
            state["principal"], state["refused"], state["realm"] = None, None, tokens.service
            try:
                if (token := bearer_token(scope)) is not None:
                    state["principal"] = await tokens.verify(token)
            except TokenRefused as exc:
                state["refused"] = unauthorized(tokens.service, str(exc), error="invalid_token")
            except IssuerUnavailable as exc:
                state["refused"] = problem_of(exc)
        await app(scope, receive, send)

    return layer


def admit(app: ASGIApp, operations: Operations) -> ASGIApp:
    """Raises the Problem that `authenticate` remembered: a bad token gets nowhere, not even where none is needed.

    Without a token, what the OpenAPI document wants one for is 401 here, before a body is read or a key is looked up.
    """

    async def layer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            state = scope["state"]
            if state["refused"] is not None:
                raise state["refused"]
            if state["principal"] is None and (wanted := (operations.find(scope) or {}).get("security")):
                raise missing_token(
                    state["realm"], [one for each in wanted for scopes in each.values() for one in scopes]
                )
        await app(scope, receive, send)

    return layer


async def authorize(
    request: Request, required: SecurityScopes, _: Annotated[str | None, Security(SCHEME)] = None
) -> Principal:
    """A dependency: who calls. Raises 401 without a token, 403 when it lacks one of the scopes that the route needs."""
    principal: Principal | None = getattr(request.state, "principal", None)
    realm = getattr(request.state, "realm", "")
    if principal is None:
        raise missing_token(realm, required.scopes)
    if missing := [scope for scope in required.scopes if scope not in principal.scopes]:
        raise forbidden(realm, f"the token lacks {' '.join(missing)}", required.scopes)
    return principal


def missing_token(realm: str, scopes: Iterable[str]) -> Problem:
    """401 for a request without a token, where one with these scopes is needed."""
    return unauthorized(realm, "this needs an access token: Authorization: Bearer …", scopes=scopes)


def unauthorized(realm: str, detail: str, *, error: str | None = None, scopes: Iterable[str] = ()) -> Problem:
    """401 with its challenge; `error` only where a token was sent (RFC 6750, section 3.1)."""
    fields = {"error": error, "error_description": error and detail, "scope": " ".join(scopes)}
    return Problem(401, "unauthorized", detail, headers={"WWW-Authenticate": _challenge(realm, fields)})


def forbidden(realm: str, detail: str, scopes: Iterable[str]) -> Problem:
    """403: who calls is known, and `scopes` would be needed for this."""
    fields = {"error": "insufficient_scope", "error_description": detail, "scope": " ".join(scopes)}
    return Problem(403, "forbidden", detail, headers={"WWW-Authenticate": _challenge(realm, fields)})


def bearer_token(scope: Scope) -> str | None:
    """The request's bearer token; None when there is none or another scheme. TokenRefused when it is unclear or empty."""
    values = [value for name, value in scope["headers"] if name.lower() == b"authorization"]
    if len(values) > 1:
        raise TokenRefused("there is more than one Authorization header")
    if not values or not (match := _BEARER.fullmatch(values[0].decode("latin-1").strip())):
        return None
    return match[1] or ""


def show_issuer(app: "FastAPI", url: str) -> None:
    """Makes the application's OpenAPI document name this discovery document."""
    original = app.openapi

    def openapi() -> dict[str, Any]:
        document = original()
        scheme = document.get("components", {}).get("securitySchemes", {}).get(SCHEME_NAME)
        if scheme is not None:
            scheme["openIdConnectUrl"] = url
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def _challenge(realm: str, fields: Mapping[str, str | None]) -> str:
    parameters = {"realm": realm, **fields}
    return "Bearer " + ", ".join(f'{name}="{value}"' for name, value in parameters.items() if value)
