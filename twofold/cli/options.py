"""What commands take, each said once, and what they open with it."""

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Annotated, Any

import typer

from twofold.cli import completion
from twofold.deploy import clouds
from twofold.errors import TwofoldError
from twofold.manifest import ServiceManifest, load

if TYPE_CHECKING:
    from twofold.bootstrap import Services

MANIFEST = "api.manifest:SERVICE"
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


def manifest_of(target: str) -> ServiceManifest:
    """The ServiceManifest that `"package.module:attribute"` names. Raises TwofoldError."""
    try:
        manifest = load(target)
    except (ModuleNotFoundError, AttributeError, ValueError) as exc:
        raise TwofoldError(f"can't read the manifest {target}: {exc}; run this in your service's folder") from exc
    if not isinstance(manifest, ServiceManifest):
        raise TwofoldError(f"{target} is a {type(manifest).__name__}, not a ServiceManifest")
    return manifest


def with_services[T](
    target: str, cloud: str | None, env: str, work: "Callable[[Services], Coroutine[Any, Any, T]]"
) -> T:
    """What `work` returns, given the services of a stack, or without a cloud those here; they are closed after it."""
    import asyncio

    from twofold.cli.stack import open_services

    async def run() -> T:
        services = open_services(manifest_of(target), cloud, env)
        try:
            return await work(services)
        finally:
            await services.close()

    return asyncio.run(run())
