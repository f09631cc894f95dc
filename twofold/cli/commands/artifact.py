"""`twofold build`, `sbom`, `releases`, `rollback`: what is deployed, and was."""

from pathlib import Path
from typing import Annotated

import typer

from twofold.cli import completion
from twofold.cli.options import CLOUDS, MANIFEST, Deployed, Env, Target, Yes, known_cloud, manifest_of
from twofold.cli.output import AsJson, tell
from twofold.errors import TwofoldError

app = typer.Typer()


@app.command()
def sbom(
    cloud: Annotated[str, typer.Argument(help=CLOUDS, callback=known_cloud, autocompletion=completion.cloud)],
    as_json: AsJson = False, manifest: Target = MANIFEST,
) -> None:  # fmt: skip
    """Builds a cloud's artifact and writes what it is made of beside it, as CycloneDX JSON.

    With --json: {path, artifact, digest}; `artifact` is the path of the zip.
    """
    from twofold.deploy import package
    from twofold.deploy import sbom as materials

    service = manifest_of(manifest)
    try:
        artifact = package.build(service, cloud, Path.cwd())
    except package.PackageError as exc:
        raise TwofoldError(str(exc)) from exc
    report = {
        "path": str(materials.write(service, artifact)),
        "artifact": str(artifact.path),
        "digest": artifact.digest,
    }
    tell(report, lambda report: typer.echo(report["path"]), as_json=as_json)


@app.command()
def build(
    cloud: Deployed, manifest: Target = MANIFEST,
    report: Annotated[bool, typer.Option("--report", help="how big it is, by package")] = False,
    as_json: AsJson = False,
    image: Annotated[bool, typer.Option("--image", help="a container image of it as well, by Dockerfile.<cloud>")] = False,
) -> None:  # fmt: skip
    """Builds a cloud's artifact, as `pulumi up` does, and tells its digest and size.

    With --json: {path, digest, limits, packed, unpacked, shares}; sizes in bytes, `shares` by package.
    """
    from twofold.cli.build import build as work

    work(manifest_of(manifest), cloud, Path.cwd(), report=report, as_json=as_json, image=image)


@app.command()
def releases(
    cloud: Deployed, env: Env = "dev", as_json: AsJson = False, manifest: Target = MANIFEST,
    fetch: Annotated[str | None, typer.Option("--fetch", metavar="DIGEST", help="bring this one into .build/")] = None,
) -> None:  # fmt: skip
    """Lists what a stack keeps to roll back to, and which of it is live.

    With --json: an array of {digest, deployed_at, live}; `live` are the units that run it. With --fetch too: {digest, path}.
    """
    from twofold.cli import releases as work

    stack = work.Stack(cloud, env)
    if fetch is None:
        tell(work.known(stack), lambda known: work.show(stack, known), as_json=as_json)
    else:
        tell(work.fetch(stack, manifest_of(manifest), fetch, Path.cwd()), work.show_fetched, as_json=as_json)


@app.command()
def rollback(
    cloud: Deployed, env: Env = "dev", yes: Yes = False, as_json: AsJson = False,
    to: Annotated[str | None, typer.Option(metavar="DIGEST", help="or its first digits; without it, the one before")] = None,
) -> None:  # fmt: skip
    """Lets every unit of a stack run an earlier release: no build, no Pulumi.

    With --json: {stack, digest, changed, in_state}; `in_state` is the digest that Pulumi's state still has.
    """
    from twofold.cli import releases as work

    tell(work.roll_back(work.Stack(cloud, env), to, yes=yes), work.show_rolled_back, as_json=as_json)
