"""`twofold dlq …`: what no attempt could work off. Queues have dead letters; feed consumers have parked streams."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from twofold.bootstrap import Services
from twofold.errors import TwofoldError
from twofold.portable.feed import Consumer, Feed
from twofold.portable.message import Message
from twofold.portable.message_queue import Delivery

HELD_SECONDS = 300
"""How long dead letters are hidden from others while they are looked through."""
console = Console()


class UnknownSource(TwofoldError):
    """Neither a queue nor a feed consumer has this name."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One of either kind. `redrive` brings it back; `discard` deletes it, `release` leaves it as it was."""

    id: str
    what: str
    failure: str
    detail: dict[str, Any]
    redrive: Callable[[], Awaitable[object]]
    discard: Callable[[], Awaitable[object]] | None
    release: Callable[[], Awaitable[object]]


async def collect(services: Services, name: str, *, limit: int, only: str | None = None) -> list[DeadLetter]:
    """Up to `limit` dead letters of a queue or parked streams of a consumer, all or the one with this id."""
    if name in {spec.name for spec in services.manifest.queues}:
        return await _of_queue(services, name, limit, only)
    # A projection that is being rebuilt is two consumers, `<name>@<generation>`.
    consumers = [one for one in await services.consumers() if one.name.partition("@")[0] == name]
    if consumers:
        return [letter for one in consumers for letter in await _of_consumer(services, one, only)][:limit]
    readers = services.manifest.projections + services.manifest.consumers
    known = [queue.name for queue in services.manifest.queues] + [one.name for one in readers]
    raise UnknownSource(
        f"{name!r} is neither a queue nor a feed consumer or projection; the manifest has {', '.join(known) or 'none'}"
    )


def show(letters: Sequence[DeadLetter], *, whole: bool) -> None:
    """Prints a table of them, or each with everything it has, as JSON."""
    if whole:
        for letter in letters:
            console.print_json(json.dumps({"id": letter.id, "failure": letter.failure, **letter.detail}))
        return
    table = Table("id", "what", "failure", title=f"{len(letters)} dead")
    for letter in letters:
        table.add_row(letter.id, letter.what, letter.failure[:100])
    console.print(table)


async def each(
    letters: Sequence[DeadLetter], what: str, work: Callable[[DeadLetter], Awaitable[object]], rate: float
) -> int:
    """Does it to each, at most `rate` a second, with a progress bar; returns how many."""
    for letter in track(letters, what, console=console, transient=True):
        await asyncio.gather(work(letter), asyncio.sleep(1 / rate))
    return len(letters)


async def _of_queue(services: Services, name: str, limit: int, only: str | None) -> list[DeadLetter]:
    queue = services.queue
    found: list[DeadLetter] = []
    while len(found) < limit:
        deliveries = await queue.dead_letters(name, limit=min(10, limit - len(found)), hidden=HELD_SECONDS)
        if not deliveries:
            break
        found += [_letter(services, name, delivery) for delivery in deliveries]
    others = [letter for letter in found if only is not None and letter.id != only]
    for letter in others:
        await letter.release()
    return [letter for letter in found if letter not in others]


def _letter(services: Services, name: str, delivery: Delivery) -> DeadLetter:
    try:
        message = Message.decode(delivery.body)
    except ValueError as exc:  # put there by the platform's own redrive
        message = Message("unreadable", {"body": delivery.body}, id="?", failure=str(exc))
    return DeadLetter(
        message.id, f"{message.type}, attempt {message.attempt}", message.failure or "its worker died each time",
        {"type": message.type, "attempt": message.attempt, "data": message.data},
        partial(services.queue.redrive, name, delivery), partial(services.queue.driver.delete, delivery),
        partial(services.queue.driver.release, delivery),
    )  # fmt: skip


async def _of_consumer(services: Services, consumer: Consumer, only: str | None) -> list[DeadLetter]:
    feed = Feed(services.events, [consumer])

    async def leave() -> None:
        return None

    return [
        DeadLetter(
            one.stream, f"parked at event {one.position} since {datetime.fromtimestamp(one.at, UTC):%Y-%m-%d %H:%M}Z",
            one.failure, {"position": one.position, "at": one.at}, partial(feed.redrive, consumer.name, one.stream), None, leave,
        )
        for one in await feed.parked(consumer.name)
        if only in (None, one.stream)
    ]  # fmt: skip
