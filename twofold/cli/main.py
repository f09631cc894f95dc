"""`twofold …`: serve, write the OpenAPI document, start a new service. A user's mistake is one line and exit code 2."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from twofold import __version__
from twofold.errors import TwofoldError
from twofold.manifest import ServiceManifest, load

app = typer.Typer(help="One FastAPI service, two clouds.", no_args_is_help=True, pretty_exceptions_enable=False)

Target = Annotated[str, typer.Option("--manifest", help="where the ServiceManifest is")]
MANIFEST = "api.manifest:SERVICE"


@app.command()
def run(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one")] = 8000, manifest: Target = MANIFEST
) -> None:
    """Serves on 127.0.0.1 with SQLite under .data/: no account, no server, no network."""
    from twofold.local.door import serve

    serve(_manifest(manifest), root=Path.cwd(), port=port)


@app.command()
def openapi(
    manifest: Target = MANIFEST,
    check: Annotated[bool, typer.Option("--check", help="only tell whether openapi.json is current")] = False,
    path: Annotated[Path, typer.Option(help="the file")] = Path("openapi.json"),
) -> None:
    """Writes the service's OpenAPI document, which API Management imports."""
    from twofold.runtime import Runtime

    document = Runtime(_manifest(manifest), root=Path.cwd(), environ={}).build_app().openapi()
    text = json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    if not check:
        path.write_text(text)
        typer.echo(f"{path}: {len(document['paths'])} paths")
    elif not path.is_file() or path.read_text() != text:
        raise TwofoldError(f"{path} is not current; run: twofold openapi")


@app.command()
def new(
    path: Annotated[Path, typer.Argument(help="a folder that is empty or does not exist yet")],
    service: Annotated[str, typer.Option(help="the service's name: a-z, 0-9 and hyphens")],
) -> None:
    """Starts a new service: a small CRUD API with its tests, entry files and stacks."""
    from twofold.cli.new import create

    for file in create(path, service):
        typer.echo(file)
    typer.echo(f"\nnext:  cd {path} && make test && make run")


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="print the version")] = False) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit


def main() -> None:
    """The console script."""
    sys.path.insert(0, str(Path.cwd()))  # the service lies in the working directory, as for uvicorn
    try:
        app()
    except TwofoldError as exc:
        typer.echo(f"twofold: {exc}", err=True)
        sys.exit(2)


def _manifest(target: str) -> ServiceManifest:
    try:
        manifest = load(target)
    except (ModuleNotFoundError, AttributeError, ValueError) as exc:
        raise TwofoldError(f"can't read the manifest {target}: {exc}; run this in your service's folder") from exc
    if not isinstance(manifest, ServiceManifest):
        raise TwofoldError(f"{target} is a {type(manifest).__name__}, not a ServiceManifest")
    return manifest


if __name__ == "__main__":
    main()
