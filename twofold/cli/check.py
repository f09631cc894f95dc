"""`twofold check`: whether the service is whole: its handlers, its application, the scopes of its routes, its OpenAPI document."""

import json
from pathlib import Path
from typing import Any

from twofold import handlers
from twofold.deploy.checks import Check
from twofold.deploy.config import ConfigError
from twofold.deploy.routes import METHODS, OWN, operations
from twofold.errors import TwofoldError
from twofold.manifest import ServiceManifest
from twofold.runtime import Runtime

OPENAPI = Path("openapi.json")
OPEN = 'openapi_extra={"security": []}'


def look(manifest: ServiceManifest, root: Path) -> list[Check]:
    """A check for each part; one that is wrong for each mistake."""
    checks = _handlers(manifest)
    try:
        document = openapi(manifest, root)
    except (Exception, SystemExit) as exc:
        return [*checks, Check(f"application {manifest.app}", False, handlers.describe_error(exc))]
    checks.append(Check(f"application {manifest.app}", True, "made"))
    if document is None:
        return checks  # no FastAPI: it has no document
    return [*checks, *_routes(manifest, document), *_document(document, root)]


def require(manifest: ServiceManifest, root: Path) -> None:
    """Raises TwofoldError with a line for each mistake."""
    if wrong := [
        f"  - {check.what}: {check.found}" for check in look(manifest, root) if check.needed and not check.fine
    ]:
        raise TwofoldError("\n".join(["the service is not whole:", *wrong]))


def openapi(manifest: ServiceManifest, root: Path) -> dict[str, Any] | None:
    """The document of its application as a checkout without settings makes it; None of one that has none."""
    app = Runtime(manifest, root=root, environ={}).build_app()
    document: dict[str, Any] | None = app.openapi() if hasattr(app, "openapi") else None
    return document


def text(document: dict[str, Any]) -> str:
    """What stands in the file."""
    return json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def undeclared(manifest: ServiceManifest, document: dict[str, Any]) -> list[str]:
    """The scopes that its routes ask for and its manifest does not name: no token will have them."""
    required = {
        scope
        for item in document["paths"].values()
        for method in METHODS
        for requirement in item.get(method, {}).get("security", ())
        for scopes in requirement.values()
        for scope in scopes
    }
    return sorted(required - set(manifest.scopes))


def _handlers(manifest: ServiceManifest) -> list[Check]:
    wrong = handlers.problems(manifest)
    count = sum(len(specs) for specs in (manifest.queues, manifest.consumers, manifest.projections, manifest.schedules))
    if not wrong:
        return [Check("handlers", True, f"{count} can be called")]
    return [Check(what, False, problem) for what, _, problem in (line.partition(": ") for line in wrong)]


def _routes(manifest: ServiceManifest, document: dict[str, Any]) -> list[Check]:
    try:
        routes = [one for one in operations(document) if one.path not in (*OWN, "/*")]
    except ConfigError as exc:
        return [Check("routes", False, str(exc))]
    checks = [
        Check(f"scope {scope}", False, "a route asks for it, and the manifest's scopes do not name it")
        for scope in undeclared(manifest, document)
    ]
    if manifest.scopes:
        checks += [
            Check(one.route, False, f"it declares no scope: open here, and not at a gateway; if it is meant: {OPEN}")
            for one in routes
            if not one.open and "security" not in {**document, **document["paths"][one.path][one.method.lower()]}
        ]
    return checks or [
        Check("routes", True, f"{len(routes)}, each with its scope" if manifest.scopes else f"{len(routes)}")
    ]


def _document(document: dict[str, Any], root: Path) -> list[Check]:
    path = root / OPENAPI
    fine = path.is_file() and path.read_text() == text(document)
    state = "as the service says" if fine else "older than the routes" if path.is_file() else "not here"
    return [Check(str(OPENAPI), fine, state, "" if fine else "twofold openapi")]
