"""`twofold …`: serve, build, look after a deployed stack, start a new service. A user's mistake is one line and exit code 2."""

import json
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from twofold import __version__
from twofold.errors import TwofoldError
from twofold.local.issuer import SUBJECT
from twofold.manifest import ServiceManifest, load

if TYPE_CHECKING:
    from twofold.bootstrap import Services

app = typer.Typer(help="One FastAPI service, two clouds.", no_args_is_help=True, pretty_exceptions_enable=False)

Target = Annotated[str, typer.Option("--manifest", help="where the ServiceManifest is")]
MANIFEST = "api.manifest:SERVICE"
Port = Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one")]
Cloud = Annotated[str | None, typer.Option(help="aws or azure; without it, what TWOFOLD_… and .data/ say")]
Env = Annotated[str, typer.Option("--env", help="the stack <env>-<cloud>; a customer's is <customer>-<env>")]
Deployed = Annotated[str, typer.Option("--cloud", help="aws or azure")]
Yes = Annotated[bool, typer.Option("--yes", help="don't ask")]


@app.command()
def run(
    port: Port = 8000,
    manifest: Target = MANIFEST,
    fd: Annotated[int | None, typer.Option(hidden=True, help="a listening socket, in place of the port")] = None,
) -> None:
    """Serves on 127.0.0.1 with SQLite under .data/: no account, no server, no network."""
    from twofold.local.door import serve

    serve(_manifest(manifest), root=Path.cwd(), port=port, fd=fd)


@app.command()
def dev(
    cloud: Annotated[str, typer.Option("--cloud", help="local, azure or aws")] = "local",
    port: Port = 8000,
    manifest: Target = MANIFEST,
) -> None:
    """Serves on 127.0.0.1 as in a cloud, on emulators, and anew at each change of the service's files."""
    from twofold.cli.dev import serve

    serve(_manifest(manifest), manifest, cloud, Path.cwd(), port)


@app.command()
def openapi(
    manifest: Target = MANIFEST,
    check: Annotated[bool, typer.Option("--check", help="only tell whether openapi.json is current")] = False,
    path: Annotated[Path, typer.Option(help="the file")] = Path("openapi.json"),
) -> None:
    """Writes the service's OpenAPI document, which API Management imports."""
    from twofold.runtime import Runtime

    service = _manifest(manifest)
    document = Runtime(service, root=Path.cwd(), environ={}).build_app().openapi()
    needed = {
        scope
        for methods in document["paths"].values()
        for operation in methods.values()
        for requirement in operation.get("security", ())
        for scopes in requirement.values()
        for scope in scopes
    }
    if undeclared := sorted(needed - set(service.scopes)):
        raise TwofoldError(f"routes need {', '.join(undeclared)}, which the manifest's scopes do not name")
    text = json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    if not check:
        path.write_text(text)
        typer.echo(f"{path}: {len(document['paths'])} paths")
    elif not path.is_file() or path.read_text() != text:
        raise TwofoldError(f"{path} is not current; run: twofold openapi")


@app.command()
def token(
    scope: Annotated[
        list[str] | None, typer.Option(help="may stand several times; without it, all of the manifest")
    ] = None,
    subject: Annotated[str, typer.Option(help="on whose behalf")] = SUBJECT,
    manifest: Target = MANIFEST,
) -> None:
    """Prints an access token that this checkout's service accepts for 12 hours, whatever door serves it."""
    from twofold.cli.token import make

    typer.echo(make(_manifest(manifest), Path.cwd(), scope, subject))


@app.command()
def sbom(cloud: Annotated[str, typer.Argument(help="aws or azure")], manifest: Target = MANIFEST) -> None:
    """Builds a cloud's artifact and writes what it is made of beside it, as CycloneDX JSON."""
    from twofold.deploy import package
    from twofold.deploy import sbom as materials

    service = _manifest(manifest)
    try:
        artifact = package.build(service, cloud, Path.cwd())
    except package.PackageError as exc:
        raise TwofoldError(str(exc)) from exc
    typer.echo(materials.write(service, artifact))


@app.command()
def parity(
    tests: Annotated[bool, typer.Option("--tests", help="the tests that prove each cell")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False,
) -> None:
    """Shows what is promised locally, on Azure and on AWS, and what of it tests prove."""
    from twofold.cli.parity import show

    show(tests=tests, as_json=as_json)


@app.command()
def build(
    cloud: Deployed, manifest: Target = MANIFEST,
    report: Annotated[bool, typer.Option("--report", help="how big it is, by package")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="all of it, as JSON")] = False,
    image: Annotated[bool, typer.Option("--image", help="a container image of it as well, by Dockerfile.<cloud>")] = False,
) -> None:  # fmt: skip
    """Builds a cloud's artifact, as `pulumi up` does, and tells its digest and size."""
    from twofold.cli.build import build as work

    work(_manifest(manifest), cloud, Path.cwd(), report=report, as_json=as_json, image=image)


@app.command()
def releases(
    cloud: Deployed, env: Env = "dev", manifest: Target = MANIFEST,
    fetch: Annotated[str | None, typer.Option("--fetch", metavar="DIGEST", help="bring this one into .build/")] = None,
) -> None:  # fmt: skip
    """Lists what a stack keeps to roll back to, and which of it is live."""
    from twofold.cli import releases as work

    stack = work.Stack(cloud, env)
    if fetch is None:
        work.show(stack)
    else:
        work.fetch(stack, _manifest(manifest), fetch, Path.cwd())


@app.command()
def rollback(
    cloud: Deployed, env: Env = "dev", yes: Yes = False,
    to: Annotated[str | None, typer.Option(metavar="DIGEST", help="or its first digits; without it, the one before")] = None,
) -> None:  # fmt: skip
    """Lets every unit of a stack run an earlier release: no build, no Pulumi."""
    from twofold.cli.releases import Stack, roll_back

    roll_back(Stack(cloud, env), to, yes=yes)


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


@app.command()
def rebuild(
    projection: Annotated[str, typer.Argument(help="a projection of the manifest")], cloud: Cloud = None, env: Env = "dev",
    resume: Annotated[bool, typer.Option("--resume", help="go on with an unfinished rebuild, parked streams first")] = False,
    abandon: Annotated[bool, typer.Option("--abandon", help="delete an unfinished rebuild instead")] = False,
    manifest: Target = MANIFEST,
) -> None:  # fmt: skip
    """Builds a read model anew from the events, beside the live one, and switches over. Deploy the new projection first."""
    from twofold.cli.feed import rebuild as work

    _with_services(manifest, cloud, env, lambda services: work(services, projection, resume=resume, abandon=abandon))


@app.command()
def catchup(cloud: Cloud = None, env: Env = "dev", manifest: Target = MANIFEST) -> None:
    """Brings every projection and feed consumer up to date with every stream: after the feed was down for a day or more."""
    from twofold.cli.feed import catch_up

    _with_services(manifest, cloud, env, catch_up)


dlq = typer.Typer(help="Dead letters of queues and parked streams of feed consumers.", no_args_is_help=True)
app.add_typer(dlq, name="dlq")

Source = Annotated[str, typer.Argument(help="a queue, feed consumer or projection of the manifest")]
Only = Annotated[str | None, typer.Option("--id", help="only this one")]
Limit = Annotated[int, typer.Option(min=1, help="at most so many")]
Rate = Annotated[float, typer.Option(min=0.1, help="at most so many a second")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="only tell what would be done")]


@dlq.command("list")
def dlq_list(
    source: Source, cloud: Cloud = None, env: Env = "dev", limit: Limit = 100, manifest: Target = MANIFEST
) -> None:
    """Lists them with their failures."""
    _dead_letters(manifest, source, cloud, env, limit=limit, whole=False)


@dlq.command("show")
def dlq_show(
    source: Source,
    id: Annotated[str, typer.Argument()],
    cloud: Cloud = None,
    env: Env = "dev",
    manifest: Target = MANIFEST,
) -> None:
    """Shows one with everything it has."""
    _dead_letters(manifest, source, cloud, env, only=id, whole=True)


@dlq.command("redrive")
def dlq_redrive(
    source: Source, cloud: Cloud = None, env: Env = "dev", id: Only = None, limit: Limit = 1000, rate: Rate = 10,
    dry_run: DryRun = False, manifest: Target = MANIFEST,
) -> None:  # fmt: skip
    """Brings them back, to be tried as at first."""
    _dead_letters(manifest, source, cloud, env, only=id, limit=limit, verb=None if dry_run else "redrive", rate=rate)


@dlq.command("purge")
def dlq_purge(
    source: Source, cloud: Cloud = None, env: Env = "dev", id: Only = None, limit: Limit = 1000, rate: Rate = 10,
    dry_run: DryRun = False, yes: Yes = False, manifest: Target = MANIFEST,
) -> None:  # fmt: skip
    """Deletes them for ever. A parked stream can't be purged: its events would be missing from the read model."""
    if not (dry_run or yes):
        typer.confirm(f"delete dead letters of {source} for ever?", abort=True)
    _dead_letters(manifest, source, cloud, env, only=id, limit=limit, verb=None if dry_run else "discard", rate=rate)


def _dead_letters(
    target: str, source: str, cloud: str | None, env: str, *, only: str | None = None, limit: int = 1000,
    whole: bool = False, verb: Any = None, rate: float = 10,
) -> None:  # fmt: skip
    from twofold.cli import dead_letters

    async def work(services: "Services") -> None:
        if verb is None:
            found = await dead_letters.show(services, source, only=only, limit=limit, whole=whole)
        else:
            found = await dead_letters.act(services, source, verb, only=only, limit=limit, rate=rate)
            typer.echo(f"{source}: {found} {'redriven' if verb == 'redrive' else 'deleted'}")
        if only is not None and not found:
            raise TwofoldError(f"{source} has no dead letter {only!r}")

    _with_services(target, cloud, env, work)


secret = typer.Typer(help="Values of the manifest's secrets, here or on a stack.", no_args_is_help=True)
app.add_typer(secret, name="secret")


@secret.command("set")
def secret_set(
    name: Annotated[str, typer.Argument(help="a secret of the manifest")],
    cloud: Cloud = None,
    env: Env = "dev",
    manifest: Target = MANIFEST,
) -> None:
    """Sets a value, typed without echo or read from standard input: never an argument, which others can see."""
    from twofold.cli import secrets

    _with_services(manifest, cloud, env, lambda services: secrets.set_value(services, name))


@secret.command("list")
def secret_list(cloud: Cloud = None, env: Env = "dev", manifest: Target = MANIFEST) -> None:
    """Tells which secrets have a value, and shows none."""
    from twofold.cli import secrets

    _with_services(manifest, cloud, env, secrets.show)


Where = Annotated[str, typer.Option("--cloud", help="aws or azure")]
AsJson = Annotated[bool, typer.Option("--json", help="for a program to read")]


@app.command()
def deployer(cloud: Where, env: Env = "dev", manifest: Target = MANIFEST) -> None:
    """Prints the least privilege that deploying a stack takes, for review: IAM policies, or an Azure role and its condition."""
    from twofold.cli import account

    typer.echo(account.deployer(_manifest(manifest), cloud, env))


@app.command()
def preflight(cloud: Where, env: Env = "dev", as_json: AsJson = False, manifest: Target = MANIFEST) -> None:
    """Asks the account what the first `pulumi up` needs, changes nothing, and names the command for what is missing."""
    from twofold.cli import account
    from twofold.deploy import checks

    if not checks.show(account.preflight(_manifest(manifest), cloud, env), as_json=as_json):
        raise typer.Exit(1)


@app.command()
def describe(cloud: Where, env: Env = "dev", as_json: AsJson = False, manifest: Target = MANIFEST) -> None:
    """Tells all that a stack is, without login or engine: for who makes it with Terraform, or reviews it."""
    from twofold.cli import account, describe

    found = account.describe(_manifest(manifest), cloud, env)
    if as_json:
        typer.echo(json.dumps(found, indent=1))
    else:
        describe.show(found)


@app.command()
def doctor(
    offline: Annotated[bool, typer.Option("--offline", help="every download: is it here, or its mirror set?")] = False,
    as_json: AsJson = False,
) -> None:
    """Looks at this machine, and names the command for what is missing."""
    from twofold.cli import doctor, installed
    from twofold.deploy import checks

    look = doctor.offline if offline else installed.installed
    if not checks.show(look(doctor.Machine()), as_json=as_json):
        raise typer.Exit(1)


def _with_services(
    target: str, cloud: str | None, env: str, work: "Callable[[Services], Coroutine[Any, Any, None]]"
) -> None:
    import asyncio

    from twofold.cli.stack import open_services

    async def run() -> None:
        services = open_services(_manifest(target), cloud, env)
        try:
            await work(services)
        finally:
            await services.close()

    asyncio.run(run())


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
