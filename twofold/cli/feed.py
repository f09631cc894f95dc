"""`twofold rebuild` and `twofold catchup`: what reads every stream, with a progress bar."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypedDict

from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from twofold.bootstrap import Services
from twofold.cli.console import aside
from twofold.manifest import ServiceManifest
from twofold.portable.feed import Feed, Progress
from twofold.portable.rebuild import Rebuild, RebuildError


class CaughtUp(TypedDict):
    """How many streams were read, by which consumers, and which of them have parked streams."""

    streams: int
    consumers: list[str]
    parked: list[str]


def check(manifest: ServiceManifest, projection: str) -> None:
    """Raises RebuildError for a name that the manifest does not have."""
    known = [spec.name for spec in manifest.projections]
    if projection not in known:
        raise RebuildError(f"no projection {projection!r} in the manifest; it has {', '.join(known) or 'none'}")


async def rebuild(services: Services, projection: str, *, resume: bool, abandon: bool) -> int | None:
    """Runs `Rebuild`, or deletes an unfinished one, and shows how far it is; returns how many streams it read, None for none."""
    [spec] = [spec for spec in services.manifest.projections if spec.name == projection]
    consume = partial(services.projector, spec)
    with _shown() as progress:
        work = Rebuild(services.events, services.read_models, projection, consume, progress)
        if not abandon:
            return await work.run(resume=resume)
        await work.abandon()
        return None


async def catch_up(services: Services) -> CaughtUp:
    """Runs every consumer over every stream."""
    consumers = await services.consumers()
    feed = Feed(services.events, consumers)
    with _shown() as progress:
        streams = await feed.catch_up(progress)
    names = [one.name for one in consumers]
    return {"streams": streams, "consumers": names, "parked": [name for name in names if await feed.parked(name)]}


@contextmanager
def _shown() -> Iterator[Progress]:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=aside, transient=True, disable=not aside.is_terminal) as bar:
        task = bar.add_task("reading where it stands", total=None)

        def progress(what: str, done: int, total: int | None) -> None:
            bar.update(task, description=what, completed=done, total=total)

        yield progress
