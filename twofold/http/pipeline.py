"""The layers that every application gets, whatever door it is served by."""

from urllib.parse import urlsplit

from twofold.bootstrap import Services
from twofold.http.auth import admit, authenticate
from twofold.http.body_limit import body_limit
from twofold.http.client_address import client_address
from twofold.http.content import content_rules
from twofold.http.cors import cors
from twofold.http.edge import only_through_edge
from twofold.http.idempotency import idempotency
from twofold.http.lifespan import ASGIApp
from twofold.http.openapi import Operations
from twofold.http.problem import boundary
from twofold.http.rate_limit import rate_limit
from twofold.http.request_limits import request_limits
from twofold.http.request_log import request_log
from twofold.http.security_headers import security_headers
from twofold.portable.rate_limit import RateLimiter
from twofold.settings import Settings


def wrap(app: ASGIApp, settings: Settings, services: Services) -> ASGIApp:
    """`app` inside the kit's layers, the innermost first. Idempotency needs the block `documents`, access control `scopes`."""
    core, operations = app, Operations(app)
    if "documents" in services.manifest.blocks:
        app = idempotency(app, services.idempotency)
    app = content_rules(app, operations)
    app = body_limit(app)
    if services.tokens is not None:
        app = admit(app, operations)
    app = rate_limit(app, RateLimiter(services.cache), settings)
    if services.tokens is not None:
        app = authenticate(app, services.tokens)
    app = request_limits(app)
    if settings.edge_digest:
        app = only_through_edge(app, settings.edge_digest)
    app = boundary(app)
    app = cors(app, settings.origins)
    app = security_headers(app, docs=_docs(core), connect=_origin(settings.oidc_issuer))
    app = client_address(app, deployed=settings.deployed, hops=settings.forwarded_hops)
    return request_log(app, services.telemetry, services.manifest.name)


def _docs(app: ASGIApp) -> tuple[str, ...]:
    """The paths of a FastAPI application's Swagger UI."""
    names = ("docs_url", "swagger_ui_oauth2_redirect_url")
    return tuple(path for name in names if (path := getattr(app, name, None)))


def _origin(url: str) -> tuple[str, ...]:
    """The origin of the issuer, where the documentation page asks for tokens."""
    parts = urlsplit(url)
    return (f"{parts.scheme}://{parts.netloc}",) if url else ()
