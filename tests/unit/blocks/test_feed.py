"""Feed: at least once, in order per stream, poison is parked, and a delivery is only a hint."""

import asyncio
import random

import pytest

from twofold.errors import EventsRefused, SecretRefused, StoreRefused, StoreUnavailable
from twofold.portable.event_store import Event
from twofold.portable.feed import Consumer, Feed


class Recorder:
    """A consumer that records the events it sees, and fails where it is told to."""

    def __init__(self) -> None:
        self.seen: dict[str, list[int]] = {}
        self.poison: set[tuple[str, int]] = set()
        self.attempts = 0

    async def __call__(self, commit):
        self.attempts += 1
        await asyncio.sleep(0)
        if (commit.stream, commit.first) in self.poison:
            raise RuntimeError("poison")
        self.seen.setdefault(commit.stream, []).extend(event.number for event in commit.events)


async def append(events, stream, *sizes):
    position = (await events.read(stream)).position
    for size in sizes:
        position = await events.append(stream, position, [Event("Counted", {}) for _ in range(size)])


def feed_of(events, recorder, attempts=3):
    return Feed(events, [Consumer("view", recorder, attempts)], retry_pause=0)


async def test_commits_arrive_in_order_whatever_the_delivery_does(events):
    recorder = Recorder()
    feed = feed_of(events, recorder)
    for stream in ("a", "b"):
        await append(events, stream, 1, 2, 3)
    deliveries = ["a", "b"] * 5
    random.Random(7).shuffle(deliveries)
    for stream in deliveries:
        await feed.process_streams([stream])
    assert recorder.seen == {"a": [0, 1, 2, 3, 4, 5], "b": [0, 1, 2, 3, 4, 5]}


async def test_a_lost_delivery_is_made_up_by_the_next(events):
    recorder = Recorder()
    feed = feed_of(events, recorder)
    await append(events, "a", 1)
    await append(events, "a", 1)
    await feed.process_streams(["a"])
    assert recorder.seen == {"a": [0, 1]}


async def test_poison_is_parked_and_other_streams_go_on(events):
    recorder = Recorder()
    recorder.poison = {("a", 1)}
    feed = feed_of(events, recorder)
    await append(events, "a", 1, 1, 1)
    await append(events, "b", 1)
    await feed.process_streams(["a", "b"])
    assert recorder.seen == {"a": [0], "b": [0]}
    [parked] = await feed.parked("view")
    assert (parked.stream, parked.position) == ("a", 1) and "poison" in parked.failure

    attempts = recorder.attempts
    await append(events, "a", 1)
    await feed.process_streams(["a"])
    assert recorder.attempts == attempts, "a commit behind a parked one must wait"

    recorder.poison.clear()
    assert await feed.redrive("view", "a")
    assert recorder.seen["a"] == [0, 1, 2, 3] and await feed.parked("view") == []


async def test_a_redrive_that_fails_parks_again(events):
    recorder = Recorder()
    recorder.poison = {("a", 0)}
    feed = feed_of(events, recorder)
    await append(events, "a", 1)
    await feed.process_streams(["a"])
    assert not await feed.redrive("view", "a")
    assert [parked.stream for parked in await feed.parked("view")] == ["a"]


async def test_a_redrive_that_dies_can_be_done_again(events):
    class Died(BaseException):
        pass

    async def dying(commit):
        raise Died

    recorder = Recorder()
    recorder.poison = {("a", 0)}
    await append(events, "a", 1)
    await feed_of(events, recorder).process_streams(["a"])
    with pytest.raises(Died):
        await feed_of(events, dying).redrive("view", "a")
    recorder.poison.clear()
    feed = feed_of(events, recorder)
    assert [parked.stream for parked in await feed.parked("view")] == ["a"]
    assert await feed.redrive("view", "a")
    assert recorder.seen == {"a": [0]} and await feed.parked("view") == []


async def test_a_commit_of_an_unknown_format_is_parked(events, documents):
    recorder = Recorder()
    await append(events, "a", 1)
    await documents.put("events", "a", "000000000001", {"format": 99, "at": 0, "events": []})
    await feed_of(events, recorder).process_streams(["a"])
    [parked] = await feed_of(events, recorder).parked("view")
    assert parked.position == 1 and "99" in parked.failure


async def test_a_store_failure_is_raised_and_nothing_is_parked(events):
    async def failing(commit):
        raise StoreUnavailable("down")

    feed = Feed(events, [Consumer("view", failing)], retry_pause=0)
    await append(events, "a", 1)
    with pytest.raises(StoreUnavailable):
        await feed.process_streams(["a"])
    assert await feed.parked("view") == []


@pytest.mark.parametrize("refused", [EventsRefused("x"), SecretRefused("x"), StoreRefused("x")])
async def test_what_would_be_refused_again_is_parked_and_holds_nobody_up(events, refused):
    async def failing(commit):
        raise refused

    recorder = Recorder()
    feed = Feed(events, [Consumer("mails", failing), Consumer("view", recorder)], retry_pause=0)
    await append(events, "a", 1)
    await feed.process_streams(["a"])
    assert [parked.stream for parked in await feed.parked("mails")] == ["a"] and recorder.seen == {"a": [0]}


async def test_a_store_that_refuses_the_feeds_own_checkpoint_stops_it(events, monkeypatch):
    async def refusing(*arguments, **options):
        raise StoreRefused("400")

    await append(events, "a", 1)
    feed = feed_of(events, Recorder())
    monkeypatch.setattr(events.documents, "put", refusing)
    with pytest.raises(StoreUnavailable, match="the feed stopped: 400"):
        await feed.process_streams(["a"])


async def test_two_processes_on_one_stream_miss_nothing(events):
    recorder = Recorder()
    feeds = [feed_of(events, recorder) for _ in range(4)]
    for _ in range(20):
        await append(events, "a", 1)
        await asyncio.gather(*(feed.process_streams(["a"]) for feed in feeds))
    assert set(recorder.seen["a"]) == set(range(20))
    assert sorted(dict.fromkeys(recorder.seen["a"])) == list(dict.fromkeys(recorder.seen["a"]))


async def test_what_several_processes_park_at_once_can_be_redriven(events):
    recorder = Recorder()
    recorder.poison = {("a", 0)}
    feeds = [feed_of(events, recorder) for _ in range(4)]
    await append(events, "a", 1)
    await asyncio.gather(*(feed.process_streams(["a"]) for feed in feeds))
    assert [parked.stream for parked in await feeds[0].parked("view")] == ["a"]
    recorder.poison.clear()
    assert await feeds[0].redrive("view", "a")
    assert recorder.seen == {"a": [0]} and await feeds[0].parked("view") == []
