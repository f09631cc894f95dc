"""`twofold rebuild PROJECTION`: a read model built anew beside the live one, with a progress bar."""

from functools import partial

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

from twofold.bootstrap import Services
from twofold.portable.rebuild import Rebuild, RebuildError

console = Console()


async def rebuild(services: Services, projection: str, *, resume: bool, abandon: bool) -> None:
    """Runs `Rebuild` and shows how far it is."""
    specs = {spec.name: spec for spec in services.manifest.projections}
    if projection not in specs:
        raise RebuildError(f"no projection {projection!r} in the manifest; it has {', '.join(specs) or 'none'}")
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("reading where it stands", total=None)

        def progress(what: str, done: int, total: int | None) -> None:
            bar.update(task, description=what, completed=done, total=total)

        consume = partial(services.projector, specs[projection])
        work = Rebuild(services.events, services.read_models, projection, consume, progress)
        if abandon:
            await work.abandon()
            told = f"{projection}: the unfinished rebuild is deleted; the live read model was not touched"
        else:
            told = f"{projection}: rebuilt from {await work.run(resume=resume)} streams, and live"
    console.print(told)
