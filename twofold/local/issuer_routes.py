"""The development issuer over HTTP, in a checkout only: enough of OpenID Connect for the docs page's Authorize button."""

import base64
import binascii
from typing import Any
from urllib.parse import parse_qs, unquote_plus

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from twofold.http.auth import DISCOVERY_PATH
from twofold.local.issuer import ISSUER, LIFETIME_SECONDS, DevelopmentIssuer
from twofold.manifest import ServiceManifest

TOKEN_PATH = "/development-issuer/token"  # noqa: S105 - a path


def router(manifest: ServiceManifest) -> APIRouter:
    """Discovery and a token endpoint (RFC 6749, client credentials): the client's id is the subject, any secret will do."""
    routes, issuer = APIRouter(include_in_schema=False), DevelopmentIssuer()

    @routes.get(DISCOVERY_PATH)
    async def discovery(request: Request) -> dict[str, Any]:
        base = str(request.base_url).rstrip("/")
        return {
            "issuer": ISSUER,
            "token_endpoint": base + TOKEN_PATH,
            "grant_types_supported": ["client_credentials"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "scopes_supported": manifest.scopes,
        }

    @routes.post(TOKEN_PATH)
    async def token(request: Request) -> JSONResponse:
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode("utf-8", "replace")).items()}
        if form.get("grant_type") != "client_credentials":
            return _refused("unsupported_grant_type", "grant_type must be client_credentials")
        if not (subject := _client(request.headers.get("authorization", "")) or form.get("client_id", "")):
            return _refused("invalid_client", "client_id is missing: it becomes the token's subject", 401)
        scopes = form.get("scope", "").split() or list(manifest.scopes)
        if unknown := sorted(set(scopes) - set(manifest.scopes)):
            return _refused("invalid_scope", f"the manifest declares no {' '.join(unknown)}")
        access_token = issuer.token(manifest, subject=subject, scopes=scopes)
        answer = {"access_token": access_token, "token_type": "Bearer", "expires_in": LIFETIME_SECONDS}
        return JSONResponse({**answer, "scope": " ".join(scopes)})

    return routes


def _client(authorization: str) -> str:
    scheme, _, credentials = authorization.partition(" ")
    try:
        decoded = base64.b64decode(credentials, validate=True).decode() if scheme.lower() == "basic" else ""
    except (binascii.Error, UnicodeDecodeError):
        decoded = ""
    return unquote_plus(decoded.partition(":")[0])


def _refused(error: str, description: str, status: int = 400) -> JSONResponse:
    return JSONResponse({"error": error, "error_description": description}, status)
