"""`twofold rebuild` and `twofold catchup`: what reads every stream, with a progress bar."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from twofold.bootstrap import Services
from twofold.errors import TwofoldError
from twofold.portable.feed import Feed, Progress
from twofold.portable.rebuild import Rebuild, RebuildError

console = Console()


class StillParked(TwofoldError):
    """Some streams wait for redrive."""


async def rebuild(services: Services, projection: str, *, resume: bool, abandon: bool) -> None:
    """Runs `Rebuild` and shows how far it is."""
    specs = {spec.name: spec for spec in services.manifest.projections}
    if projection not in specs:
        raise RebuildError(f"no projection {projection!r} in the manifest; it has {', '.join(specs) or 'none'}")
    consume = partial(services.projector, specs[projection])
    with _shown() as progress:
        work = Rebuild(services.events, services.read_models, projection, consume, progress)
        if abandon:
            await work.abandon()
            told = f"{projection}: the unfinished rebuild is deleted; the live read model was not touched"
        else:
            told = f"{projection}: rebuilt from {await work.run(resume=resume)} streams, and live"
    console.print(told)


async def catch_up(services: Services) -> None:
    """Runs every consumer over every stream; raises StillParked when some are parked, which `twofold dlq` shows."""
    consumers = await services.consumers()
    feed = Feed(services.events, consumers)
    with _shown() as progress:
        streams = await feed.catch_up(progress)
    console.print(f"{streams} streams, {len(consumers)} consumers: up to date")
    if parked := [name for name in (one.name for one in consumers) if await feed.parked(name)]:
        raise StillParked(f"streams are parked; see: twofold dlq list {parked[0].partition('@')[0]}")


@contextmanager
def _shown() -> Iterator[Progress]:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task("reading where it stands", total=None)

        def progress(what: str, done: int, total: int | None) -> None:
            bar.update(task, description=what, completed=done, total=total)

        yield progress
