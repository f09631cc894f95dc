"""`twofold rebuild` and `catchup`: read models and consumers, from the events."""

from typing import Annotated

import typer

from twofold.cli import completion
from twofold.cli.options import MANIFEST, Cloud, Env, Target, manifest_of, with_services
from twofold.cli.output import AsJson, tell
from twofold.errors import TwofoldError

app = typer.Typer()


class StillParked(TwofoldError):
    """Some streams wait for redrive."""


@app.command()
def rebuild(
    projection: Annotated[str, typer.Argument(help="a projection of the manifest", autocompletion=completion.projection)],
    cloud: Cloud = None, env: Env = "dev",
    resume: Annotated[bool, typer.Option("--resume", help="go on with an unfinished rebuild, parked streams first")] = False,
    abandon: Annotated[bool, typer.Option("--abandon", help="delete an unfinished rebuild instead")] = False,
    as_json: AsJson = False, manifest: Target = MANIFEST,
) -> None:  # fmt: skip
    """Builds a read model anew from the events, beside the live one, and switches over. Deploy the new projection first.

    With --json: {projection, streams}; `streams` is how many it was made of, null after --abandon.
    """
    from twofold.cli import feed
    from twofold.settings import locations

    service = manifest_of(manifest)
    feed.check(service, projection)
    streams = with_services(
        service, cloud, env, locations(service),
        lambda services: feed.rebuild(services, projection, resume=resume, abandon=abandon),
    )  # fmt: skip
    if streams is None:
        outcome = "the unfinished rebuild is deleted; the live read model was not touched"
    else:
        outcome = f"rebuilt from {streams} streams, and live"
    report = {"projection": projection, "streams": streams}
    tell(report, lambda _: typer.echo(f"{projection}: {outcome}"), as_json=as_json)


@app.command()
def catchup(cloud: Cloud = None, env: Env = "dev", as_json: AsJson = False, manifest: Target = MANIFEST) -> None:
    """Brings every projection and feed consumer up to date with every stream: after the feed was down for a day or more.

    With --json: {streams, consumers, parked}; `parked` are the consumers that have parked streams: then the exit code is 2.
    """
    from twofold.cli import feed
    from twofold.settings import locations

    service = manifest_of(manifest)
    report = with_services(service, cloud, env, locations(service), feed.catch_up)
    summary = f"{report['streams']} streams, {len(report['consumers'])} consumers: up to date"
    tell(report, lambda _: typer.echo(summary), as_json=as_json)
    if report["parked"]:
        raise StillParked(f"streams are parked; see: twofold dlq list {report['parked'][0].partition('@')[0]}")
