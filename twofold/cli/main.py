"""`twofold …`: serve, build, look after a deployed stack, start a new service. A user's mistake is one line and exit code 2."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from twofold import __version__
from twofold.cli import completion
from twofold.cli.commands import artifact, dlq, feed, secret, stack, token
from twofold.cli.options import CLOUDS, MANIFEST, Env, Target, known_cloud, manifest_of
from twofold.cli.output import AsJson, tell
from twofold.errors import TwofoldError

app = typer.Typer(help="One FastAPI service, two clouds.", no_args_is_help=True, pretty_exceptions_enable=False)

Port = Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one")]


@app.command()
def run(
    port: Port = 8000,
    manifest: Target = MANIFEST,
    fd: Annotated[int | None, typer.Option(hidden=True, help="a listening socket, in place of the port")] = None,
) -> None:
    """Serves on 127.0.0.1 with SQLite under .data/: no account, no server, no network."""
    from twofold.local.door import serve

    serve(manifest_of(manifest), root=Path.cwd(), port=port, fd=fd)


@app.command()
def dev(
    cloud: Annotated[
        str, typer.Option("--cloud", help="local, azure or aws", autocompletion=completion.home)
    ] = "local",
    port: Port = 8000,
    manifest: Target = MANIFEST,
) -> None:
    """Serves on 127.0.0.1 as in a cloud, on emulators, and anew at each change of the service's files."""
    from twofold.cli.dev import serve

    serve(manifest_of(manifest), manifest, cloud, Path.cwd(), port)


@app.command()
def check(manifest: Target = MANIFEST, as_json: AsJson = False) -> None:
    """Looks whether the service is whole: every handler, the application, each route's scope, openapi.json.

    With --json: an array of {what, fine, found, command, needed}; exit code 1 when something of it is wrong.
    """
    from twofold.cli import checks
    from twofold.cli.check import look

    checks.report(look(manifest_of(manifest), Path.cwd()), as_json=as_json, bad="wrong")


@app.command()
def openapi(
    manifest: Target = MANIFEST,
    check: Annotated[bool, typer.Option("--check", help="only tell whether openapi.json is current")] = False,
    path: Annotated[Path, typer.Option(help="the file")] = Path("openapi.json"),
    as_json: AsJson = False,
) -> None:
    """Writes the service's OpenAPI document, which API Management imports.

    With --json: {path, paths}; `paths` is how many it has.
    """
    from twofold.cli import check as whole

    service = manifest_of(manifest)
    document = whole.openapi(service, Path.cwd())
    if document is None:
        raise TwofoldError(f"{service.app} has no OpenAPI document: it is no FastAPI application")
    if undeclared := whole.undeclared(service, document):
        raise TwofoldError(f"routes need {', '.join(undeclared)}, which the manifest's scopes do not name")
    text = whole.text(document)
    if not check:
        path.write_text(text)
    elif not path.is_file() or path.read_text() != text:
        raise TwofoldError(f"{path} is not current; run: twofold openapi")
    report = {"path": str(path), "paths": len(document["paths"])}
    tell(report, lambda report: typer.echo(f"{report['path']}: {report['paths']} paths"), as_json=as_json)


@app.command()
def parity(
    tests: Annotated[bool, typer.Option("--tests", help="the tests that prove each cell")] = False,
    as_json: AsJson = False,
) -> None:
    """Shows what is promised locally, on Azure and on AWS, and what of it tests prove.

    With --json: an array of {group, rows}; a row has `what` and for local, azure and aws its {status, reason, tests}.
    """
    from twofold.cli import parity

    tell(parity.read(), lambda groups: parity.show(groups, tests=tests), as_json=as_json)


@app.command()
def new(
    path: Annotated[Path, typer.Argument(help="a folder that is empty or does not exist yet")],
    service: Annotated[str, typer.Option(help="the service's name: a-z, 0-9 and hyphens")],
    as_json: AsJson = False,
) -> None:
    """Starts a new service: a small CRUD API with its tests, entry files and stacks.

    With --json: {path, files}; `files` are in `path`.
    """
    from twofold.cli.new import create

    files = create(path, service)
    listing = "\n".join([*files, "", f"next:  cd {shlex.quote(str(path))} && make test && make run"])
    tell({"path": str(path), "files": files}, lambda _: typer.echo(listing), as_json=as_json)


@app.command()
def doctor(
    offline: Annotated[bool, typer.Option("--offline", help="every download: is it here, or its mirror set?")] = False,
    report: Annotated[
        bool, typer.Option("--report", help="writes twofold-report.json of a stack, for whoever helps: redacted")
    ] = False,
    cloud: Annotated[
        str | None,
        typer.Option(help=f"with --report: {CLOUDS}", callback=known_cloud, autocompletion=completion.cloud),
    ] = None,
    env: Env = "dev",
    log: Annotated[Path | None, typer.Option(help="with --report: a file with what `pulumi up` printed")] = None,
    manifest: Target = MANIFEST,
    as_json: AsJson = False,
) -> None:
    """Looks at this machine, and names the command for what is missing; or reports a stack whose deployment failed.

    With --json: an array of {what, fine, found, command, needed}; exit code 1 when something that is needed is missing. With
    --report: {path, lacking}, where `lacking` says why a part is not in it.
    """
    from twofold.cli import checks, doctor, installed

    if report:
        from twofold.cli import report as reports

        if cloud is None:
            raise TwofoldError("say of which stack: --report --cloud azure or aws, --env")
        written = reports.write(manifest_of(manifest), cloud, env, Path.cwd(), log)
        tell(written, reports.show, as_json=as_json)
        return
    look = doctor.offline if offline else installed.installed
    checks.report(look(doctor.Machine()), as_json=as_json)


for commands in (artifact.app, feed.app, stack.app, token.app):
    app.add_typer(commands)
app.add_typer(dlq.app, name="dlq")
app.add_typer(secret.app, name="secret")


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="print the version; with --json: {version}")] = False,
    as_json: AsJson = False,
) -> None:
    if version:
        tell({"version": __version__}, lambda report: typer.echo(report["version"]), as_json=as_json)
        raise typer.Exit
    if as_json:
        raise TwofoldError("--json stands behind a command: twofold doctor --json")


def main() -> None:
    """The console script."""
    sys.path.insert(0, str(Path.cwd()))  # the service lies in the working directory, as for uvicorn
    try:
        app()
    except TwofoldError as exc:
        typer.echo(f"twofold: {str(exc) or type(exc).__name__}", err=True)
        sys.exit(2)
    except ImportError as exc:
        from twofold.cli import extras

        if (line := extras.missing(exc, Path.cwd())) is None:
            raise
        typer.echo(f"twofold: {line}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
