"""What commands take, each said once, and what they open with it."""

from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from twofold.cli import completion
from twofold.cli.output import acts
from twofold.cli.service import MANIFEST, manifest_of
from twofold.deploy import clouds
from twofold.errors import TwofoldError
from twofold.manifest import ServiceManifest

if TYPE_CHECKING:
    from twofold.bootstrap import Services

__all__ = [
    "CLOUDS",
    "MANIFEST",
    "Cloud",
    "Deployed",
    "Env",
    "Target",
    "Yes",
    "known_cloud",
    "manifest_of",
    "with_services",
]

CLOUDS = " or ".join(clouds())


def known_cloud(cloud: str | None) -> str | None:
    """An option's value, unless it is no cloud. Raises TwofoldError."""
    if cloud is not None and cloud not in clouds():
        raise TwofoldError(f"{cloud!r} is no cloud; allowed: {', '.join(clouds())}")
    return cloud


Target = Annotated[str, typer.Option("--manifest", help="where the ServiceManifest is")]
Deployed = Annotated[str, typer.Option("--cloud", help=CLOUDS, callback=known_cloud, autocompletion=completion.cloud)]
Cloud = Annotated[
    str | None,
    typer.Option(
        help=f"{CLOUDS}; without it, what TWOFOLD_… and .data/ say",
        callback=known_cloud,
        autocompletion=completion.cloud,
    ),
]
Env = Annotated[
    str,
    typer.Option(
        "--env", help="the stack <env>-<cloud>; a customer's is <customer>-<env>", autocompletion=completion.environment
    ),
]
Yes = Annotated[bool, typer.Option("--yes", help="don't ask")]


def with_services[T](
    manifest: ServiceManifest, cloud: str | None, env: str, uses: Sequence[str],
    work: "Callable[[Services], Coroutine[Any, Any, T]]",
) -> T:  # fmt: skip
    """What `work` returns, given the services of a stack, or without a cloud those here; they are closed after it.

    `uses` are the locations, fields of Settings, that it works on: it is told where they are, before anything is done.
    """
    import asyncio

    from twofold.cli.stack import open_services

    async def run() -> T:
        services = open_services(manifest, cloud, env, uses)
        acts(f"{env}-{cloud}" if cloud else None, *(getattr(services.settings, name) for name in uses))
        try:
            return await work(services)
        finally:
            await services.close()

    return asyncio.run(run())
