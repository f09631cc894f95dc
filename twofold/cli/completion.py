"""What the shell offers for a value: read from the service's folder, and nothing where there is none.

A shell waits for it at each press of the key: no cloud's SDK is imported, nor FastAPI.
"""

import contextlib
import io
from pathlib import Path

import typer

from twofold.cli.service import manifest_of
from twofold.deploy import clouds
from twofold.manifest import ServiceManifest

STACKS = Path("stacks/config")


def cloud() -> list[str]:
    """All that the kit has."""
    return list(clouds())


def home() -> list[str]:
    """Where `twofold dev` can serve: here, or as in each cloud."""
    return ["local", *clouds()]


def environment(ctx: typer.Context) -> list[str]:
    """Those that have a stack's file; when a cloud was typed before, on that one."""
    on = (ctx.params["cloud"],) if ctx.params.get("cloud") else clouds()
    stacks = (path.stem.removeprefix("Pulumi.").rpartition("-") for path in STACKS.glob("Pulumi.*.yaml"))
    return sorted({environment for environment, _, cloud in stacks if environment and cloud in on})


def source(ctx: typer.Context) -> list[str]:
    """What may have dead letters or parked streams."""
    return _named(ctx, "queues", "projections", "consumers")


def projection(ctx: typer.Context) -> list[str]:
    """Of the manifest."""
    return _named(ctx, "projections")


def secret(ctx: typer.Context) -> list[str]:
    """Of the manifest."""
    return _named(ctx, "secrets")


def scope(ctx: typer.Context) -> list[str]:
    """Of the manifest."""
    manifest = _manifest(ctx)
    return list(manifest.scopes) if manifest else []


def _named(ctx: typer.Context, *kinds: str) -> list[str]:
    manifest = _manifest(ctx)
    return [spec.name for kind in kinds for spec in getattr(manifest, kind)] if manifest else []


def _manifest(ctx: typer.Context) -> ServiceManifest | None:
    """The service's; None whatever its modules raise, and without what they print: it would stand in the line that is typed."""
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            return manifest_of(ctx.params["manifest"])
    except (Exception, SystemExit):
        return None
