"""`twofold dlq …`: dead letters of queues and parked streams of feed consumers, looked through and brought back."""

from typing import TYPE_CHECKING, Annotated

import typer

from twofold.cli import completion
from twofold.cli.options import MANIFEST, Cloud, Env, Target, Yes, manifest_of, with_services
from twofold.cli.output import AsJson, confirm, tell

if TYPE_CHECKING:
    from twofold.bootstrap import Services
    from twofold.cli.dead_letters import Verb

app = typer.Typer(help="Dead letters of queues and parked streams of feed consumers.", no_args_is_help=True)

Source = Annotated[
    str, typer.Argument(help="a queue, feed consumer or projection of the manifest", autocompletion=completion.source)
]
Only = Annotated[str | None, typer.Option("--id", help="only this one; its first letters will do")]
One = Annotated[str, typer.Argument(help="its first letters will do")]
Limit = Annotated[int, typer.Option(min=1, help="at most so many")]
Rate = Annotated[float, typer.Option(min=0.1, help="at most so many a second")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="only tell what would be done, as `list` does")]


@app.command("list")
def list_(
    source: Source, cloud: Cloud = None, env: Env = "dev", limit: Limit = 100, as_json: AsJson = False,
    manifest: Target = MANIFEST,
) -> None:  # fmt: skip
    """Lists them with their failures.

    With --json: an array of {id, failure, trace, type, attempt, data, traceparent}; of streams {id, failure, trace, consumer,
    position, at}. `trace` are the lines where it was raised, the innermost last; empty when that is not known.
    """
    _look(manifest, source, cloud, env, None, limit, as_json)


@app.command()
def show(
    source: Source, message_id: One, cloud: Cloud = None, env: Env = "dev", as_json: AsJson = False,
    manifest: Target = MANIFEST,
) -> None:  # fmt: skip
    """Shows one with everything it has.

    With --json: an array as of `list`, since an id may be there twice: a message sent again, a stream parked by two generations.
    """
    _look(manifest, source, cloud, env, message_id, 1000, as_json, whole=True)


@app.command()
def redrive(
    source: Source, cloud: Cloud = None, env: Env = "dev", message_id: Only = None, limit: Limit = 1000, rate: Rate = 10,
    dry_run: DryRun = False, as_json: AsJson = False, manifest: Target = MANIFEST,
) -> None:  # fmt: skip
    """Brings them back, to be tried as at first.

    With --json: {source, redriven}, how many.
    """
    if dry_run:
        _look(manifest, source, cloud, env, message_id, limit, as_json)
    else:
        _act(manifest, source, cloud, env, message_id, limit, as_json, "redrive", "redriven", rate)


@app.command()
def purge(
    source: Source, cloud: Cloud = None, env: Env = "dev", message_id: Only = None, limit: Limit = 1000, rate: Rate = 10,
    dry_run: DryRun = False, yes: Yes = False, as_json: AsJson = False, manifest: Target = MANIFEST,
) -> None:  # fmt: skip
    """Deletes them for ever. A parked stream can't be purged: its events would be missing from the read model.

    With --json: {source, deleted}, how many.
    """
    if dry_run:
        _look(manifest, source, cloud, env, message_id, limit, as_json)
        return
    question = None if yes else f"delete dead letters of {source} for ever?"
    _act(manifest, source, cloud, env, message_id, limit, as_json, "discard", "deleted", rate, question)


def _look(
    target: str, source: str, cloud: str | None, env: str, only: str | None, limit: int, as_json: bool, whole: bool = False
) -> None:  # fmt: skip
    from twofold.cli import dead_letters

    service = manifest_of(target)
    letters = with_services(
        service, cloud, env, dead_letters.uses(service, source),
        lambda services: dead_letters.read(services, source, only=only, limit=limit),
    )  # fmt: skip
    print_them = dead_letters.show_whole if whole else dead_letters.show
    tell([letter.facts for letter in letters], lambda _: print_them(letters), as_json=as_json)


def _act(
    target: str, source: str, cloud: str | None, env: str, only: str | None, limit: int, as_json: bool, verb: "Verb",
    outcome: str, rate: float, question: str | None = None,
) -> None:  # fmt: skip
    from twofold.cli import dead_letters

    async def work(services: "Services") -> int:
        if question:
            confirm(question)
        return await dead_letters.act(services, source, verb, only=only, limit=limit, rate=rate)

    service = manifest_of(target)
    uses = dead_letters.uses(service, source)
    if verb == "discard":
        dead_letters.require_queue(service, source)
    count = with_services(service, cloud, env, uses, work)
    tell({"source": source, outcome: count}, lambda _: typer.echo(f"{source}: {count} {outcome}"), as_json=as_json)
