"""`twofold dlq …`: what no attempt could work off. Queues have dead letters; feed consumers have parked streams."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal

from rich.console import Console
from rich.progress import Progress
from rich.table import Column, Table

from twofold.bootstrap import Services
from twofold.cli.console import aside, console
from twofold.errors import TwofoldError
from twofold.manifest import ServiceManifest
from twofold.portable.feed import Consumer, Feed
from twofold.portable.message import Message
from twofold.portable.message_queue import Delivery, dead_letter_name, within_deadline
from twofold.settings import locations

BATCH, HELD_SECONDS = 10, 300
"""So many are taken at once and hidden from others for so long: a batch at the slowest rate takes 100 seconds."""

BESIDE_ID = 60
"""Columns for what stands beside an id in a table."""

type Verb = Literal["redrive", "discard"]


class UnknownSource(TwofoldError):
    """Neither a queue nor a feed consumer has this name."""


class NotOne(TwofoldError):
    """Several ids begin so, or none."""


class NotPurged(TwofoldError):
    """A parked stream can't be thrown away."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One of either kind. `redrive` brings it back; `discard` deletes it, `release` leaves it as it was."""

    id: str
    what: str
    failure: str
    detail: dict[str, Any]
    redrive: Callable[[], Awaitable[object]]
    discard: Callable[[], Awaitable[object]]
    release: Callable[[], Awaitable[object]]

    @property
    def facts(self) -> dict[str, Any]:
        """Everything it has."""
        return {"id": self.id, "failure": self.failure, **self.detail}


def uses(manifest: ServiceManifest, source: str) -> tuple[str, ...]:
    """The locations, fields of Settings, that its dead letters need: of a queue that alone, of a feed consumer all that its
    handler may use. Raises UnknownSource for a name that the manifest does not have."""
    queues = [spec.name for spec in manifest.queues]
    names = [*queues, *(spec.name for spec in manifest.projections + manifest.consumers)]
    if source not in names:
        raise UnknownSource(
            f"{source!r} is neither a queue nor a feed consumer or projection; the manifest has {', '.join(names) or 'none'}"
        )
    return ("queue_url",) if source in queues else locations(manifest)


def require_queue(manifest: ServiceManifest, source: str) -> None:
    """Raises NotPurged for what is no queue."""
    if source not in {spec.name for spec in manifest.queues}:
        raise NotPurged(
            f"{source} is a feed consumer: its parked streams can be redriven, not purged, since their events "
            "would be missing from what it keeps"
        )


async def read(services: Services, source: str, *, only: str | None, limit: int) -> list[DeadLetter]:
    """All of them, or those with an id (its first letters will do), `limit` at most. They stay where they are.

    Raises NotOne when no id begins so, or several do.
    """
    letters: list[DeadLetter] = []
    try:
        async with aclosing(
            _letters(services, source, lambda message_id: message_id.startswith(only or ""))
        ) as source_letters:
            async for letter in source_letters:
                letters.append(letter)
                if len(letters) == limit and only is None:
                    break
    finally:
        for letter in letters:
            await letter.release()
    return letters if only is None else _one(letters, source, only)[:limit]


def show(letters: Sequence[DeadLetter]) -> None:
    """Prints a table of them."""
    table = Table(Column("id", no_wrap=True), "what", "failure", title=f"{len(letters)} dead")
    for letter in letters:
        table.add_row(letter.id, letter.what, letter.failure[:100])
    # As wide as it takes: an id that is cut can't be copied.
    longest = max((len(letter.id) for letter in letters), default=0)
    Console(width=max(console.width, longest + BESIDE_ID)).print(table)


def show_whole(letters: Sequence[DeadLetter]) -> None:
    """Prints each with everything it has."""
    for letter in letters:
        console.print_json(data=letter.facts)


async def act(services: Services, source: str, verb: Verb, *, only: str | None, limit: int, rate: float) -> int:
    """Redrives or discards them, `rate` a second and `limit` in all at most, with a progress bar; returns how many.

    `only` as for `read`.
    """
    if only is not None:
        only = (await read(services, source, only=only, limit=1))[0].id
    count = 0
    with Progress(console=aside, transient=True, disable=not aside.is_terminal) as bar:
        task = bar.add_task(f"{verb} {source}", total=min(limit, await _count(services, source)) if only is None else 1)
        async with aclosing(
            _letters(services, source, lambda message_id: only in (None, message_id))
        ) as source_letters:
            async for letter in source_letters:
                await asyncio.gather(getattr(letter, verb)(), asyncio.sleep(1 / rate))
                count += 1
                bar.update(task, completed=count)
                if count == limit:
                    break
    return count


async def _letters(services: Services, source: str, wanted: Callable[[str], bool]) -> AsyncGenerator[DeadLetter]:
    """The dead letters of a queue or the parked streams of a consumer, all or those with the ids that are wanted."""
    if source in {spec.name for spec in services.manifest.queues}:
        taken: list[DeadLetter] = []  # and not given to the caller: back to where they were
        try:
            while deliveries := await services.queue.dead_letters(source, limit=BATCH, hidden=HELD_SECONDS):
                taken += [_letter(services, source, delivery) for delivery in deliveries]
                for letter in [one for one in taken if wanted(one.id)]:
                    taken.remove(letter)
                    yield letter
        finally:
            for letter in taken:
                await letter.release()
        return
    for consumer in await _consumers(services, source):
        for letter in await _parked(services, consumer):
            if wanted(letter.id):
                yield letter


def _one(letters: Sequence[DeadLetter], source: str, only: str) -> list[DeadLetter]:
    """Those with this very id, else those with the one that begins so."""
    exact = [letter for letter in letters if letter.id == only]
    ids = sorted({letter.id for letter in letters})
    if not ids:
        raise NotOne(f"{source} has no dead letter {only!r}")
    if not exact and len(ids) > 1:
        raise NotOne(f"{len(ids)} dead letters of {source} begin with {only!r}: {', '.join(ids[:5])}")
    return exact or list(letters)


async def _count(services: Services, source: str) -> int:
    if source in {spec.name for spec in services.manifest.queues}:
        return await within_deadline(services.queue.driver.depth(dead_letter_name(source)))
    return sum([len(await _parked(services, consumer)) for consumer in await _consumers(services, source)])


async def _consumers(services: Services, source: str) -> list[Consumer]:
    """A projection that is being rebuilt is two, `<name>@<generation>`; a queue is none."""
    return [consumer for consumer in await services.consumers() if consumer.name.partition("@")[0] == source]


def _letter(services: Services, name: str, delivery: Delivery) -> DeadLetter:
    try:
        message = Message.decode(delivery.body)
    except ValueError as exc:  # put there by the platform's own redrive
        message = Message("unreadable", {"body": delivery.body}, id="?", failure=str(exc))
    return DeadLetter(
        message.id, f"{message.type}, attempt {message.attempt}", message.failure or "its worker died each time",
        {"type": message.type, "attempt": message.attempt, "data": message.data, "traceparent": message.traceparent,
         "trace": (message.trace or "").splitlines()},
        partial(services.queue.redrive, name, delivery), lambda: within_deadline(services.queue.driver.delete(delivery)),
        lambda: within_deadline(services.queue.driver.release(delivery)),
    )  # fmt: skip


async def _parked(services: Services, consumer: Consumer) -> list[DeadLetter]:
    feed = Feed(services.events, [consumer])

    async def leave() -> None:
        return None

    async def refuse() -> None:
        require_queue(services.manifest, consumer.name)

    return [
        DeadLetter(
            one.stream, f"parked at event {one.position} since {datetime.fromtimestamp(one.at, UTC):%Y-%m-%d %H:%M}Z",
            one.failure,
            {"consumer": consumer.name, "position": one.position, "at": one.at, "trace": (one.trace or "").splitlines()},
            partial(feed.redrive, consumer.name, one.stream), refuse, leave,
        )
        for one in await feed.parked(consumer.name)
    ]  # fmt: skip
