"""Outbound: one deadline, retries only where they are safe, a breaker, a bulkhead."""

import asyncio
import uuid

import httpx
import pytest

from twofold.emulators.process import free_port
from twofold.local import cache as local
from twofold.portable.cache import Cache
from twofold.portable.resilience import BulkheadFull, CircuitOpen, Limits, Outbound, OutboundFailed

KEY = {"Idempotency-Key": "k"}


class Provider:
    """Answers with what it is told, one after another; the last for ever. An exception is raised."""

    def __init__(self, *answers):
        self.answers, self.calls = list(answers), []

    async def __call__(self, request):
        self.calls.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, float):
            await asyncio.sleep(answer)
            return httpx.Response(200)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else httpx.Response(answer)


class Time:
    """A clock that sleeping moves."""

    def __init__(self):
        self.now, self.slept = 0.0, []

    def __call__(self):
        return self.now

    async def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


def outbound(provider, time=None, **limits):
    time = time or Time()
    return Outbound(
        "payments",
        "http://p.test",
        Limits(**limits),
        transport=httpx.MockTransport(provider),
        clock=time,
        sleep=time.sleep,
    )


@pytest.mark.parametrize("first", [429, 502, 503, 504, httpx.ConnectError("x"), httpx.ReadTimeout("x")])
async def test_what_passes_is_tried_again(first):
    provider = Provider(first, 201)
    assert (await outbound(provider).request("GET", "/")).status_code == 201
    assert len(provider.calls) == 2


@pytest.mark.parametrize("status", [200, 402, 404, 500])
async def test_any_other_answer_is_returned_as_it_is(status):
    provider = Provider(status)
    assert (await outbound(provider).request("GET", "/")).status_code == status
    assert len(provider.calls) == 1


async def test_a_post_is_repeated_only_under_an_idempotency_key():
    provider = Provider(503)
    with pytest.raises(OutboundFailed, match="503, at attempt 1 of 1"):
        await outbound(provider).request("POST", "/")
    assert len(provider.calls) == 1
    with pytest.raises(OutboundFailed, match="attempt 3 of 3"):
        await outbound(provider).request("POST", "/", headers=KEY)
    assert len(provider.calls) == 4


async def test_pauses_grow_and_retry_after_is_heeded():
    time = Time()
    provider = Provider(503, httpx.Response(429, headers={"Retry-After": "2"}), 200)
    await outbound(provider, time).request("GET", "/")
    assert 0 <= time.slept[0] <= 0.2 and time.slept[1] == 2


async def test_a_pause_that_does_not_fit_the_deadline_is_not_taken():
    time, provider = Time(), Provider(httpx.Response(503, headers={"Retry-After": "60"}))
    with pytest.raises(OutboundFailed):
        await outbound(provider, time, deadline=5).request("GET", "/")
    assert time.slept == [] and len(provider.calls) == 1


async def test_a_hanging_service_costs_the_deadline_and_no_more():
    loop = asyncio.get_running_loop()
    started = loop.time()
    client = Outbound("p", "http://p.test", Limits(deadline=0.2), transport=httpx.MockTransport(Provider(30.0)))
    with pytest.raises(OutboundFailed, match="TimeoutError"):
        await client.request("GET", "/")
    assert loop.time() - started < 1


async def test_the_breaker_opens_probes_and_closes():
    time, provider = Time(), Provider(503)
    client = outbound(provider, time, attempts=1, breaker_failures=3, breaker_seconds=30)
    for _ in range(3):
        with pytest.raises(OutboundFailed):
            await client.request("GET", "/")
    with pytest.raises(CircuitOpen):
        await client.request("GET", "/")
    assert len(provider.calls) == 3
    time.now += 31
    with pytest.raises(OutboundFailed, match="503"):
        await client.request("GET", "/")
    with pytest.raises(CircuitOpen):
        await client.request("GET", "/")
    time.now += 31
    provider.answers = [200]
    assert (await client.request("GET", "/")).status_code == 200
    assert (await client.request("GET", "/")).status_code == 200


async def test_an_open_breaker_lets_one_probe_through():
    time, provider = Time(), Provider(503)
    client = outbound(provider, time, attempts=1, breaker_failures=1, deadline=5)
    with pytest.raises(OutboundFailed):
        await client.request("GET", "/")
    time.now += 31
    provider.answers = [0.05]
    results = await asyncio.gather(*(client.request("GET", "/") for _ in range(5)), return_exceptions=True)
    assert [type(one) for one in results].count(CircuitOpen) == 4 and len(provider.calls) == 2


async def test_a_success_in_between_resets_the_count():
    provider = Provider(503, 200, 503, 200, 503)
    client = outbound(provider, attempts=1, breaker_failures=2)
    for failing in (True, False, True, False, True):
        if failing:
            with pytest.raises(OutboundFailed, match="503"):
                await client.request("GET", "/")
        else:
            await client.request("GET", "/")


async def test_the_bulkhead_bounds_what_is_under_way_and_cancellation_gives_its_slot_back():
    provider = Provider(5.0)

    async def slow_to_end(request):  # so that the slots are taken when the deadline of those who wait comes
        try:
            return await provider(request)
        except asyncio.CancelledError:
            await asyncio.sleep(0.3)
            raise

    limits = Limits(deadline=0.1, concurrent=2)
    client = Outbound("p", "http://p.test", limits, transport=httpx.MockTransport(slow_to_end))
    results = await asyncio.gather(*(client.request("GET", "/") for _ in range(4)), return_exceptions=True)
    assert len(provider.calls) == 2 and [type(one) for one in results].count(BulkheadFull) == 2
    task = asyncio.create_task(client.request("GET", "/"))
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    provider.answers = [200]
    answers = await asyncio.gather(*(client.request("GET", "/") for _ in range(2)))
    assert [one.status_code for one in answers] == [200, 200]
    await client.close()


@pytest.fixture
async def two(redis_url):
    """Two processes' clients of one service, on one Redis, and the service."""
    caches = [Cache(local.from_url(redis_url), prefix=f"{uuid.uuid4().hex}:") for _ in range(2)]
    caches[1].prefix = caches[0].prefix
    time, provider, limits = Time(), Provider(503), Limits(attempts=1, breaker_failures=2, breaker_seconds=30)
    transport = httpx.MockTransport(provider)
    yield (
        [
            Outbound(
                "payments", "http://p.test", limits, transport=transport, cache=cache, clock=time, sleep=time.sleep
            )
            for cache in caches
        ],
        provider,
        time,
        caches,
    )
    for cache in caches:
        await cache.close()


async def fail(client):
    with pytest.raises(OutboundFailed, match="503"):
        await client.request("GET", "/")


async def test_a_breaker_that_opened_is_open_in_other_processes_within_a_second(two):
    (one, other), provider, time, caches = two
    await fail(other)  # looked: all is well
    await fail(one)
    await fail(one)
    time.now += 1
    with pytest.raises(CircuitOpen):
        await other.request("GET", "/")
    assert len(provider.calls) == 3
    # Its probe succeeds: both ask again, the other one within a second.
    provider.answers, time.now = [200], time.now + 30
    assert (await one.request("GET", "/")).status_code == 200
    assert await caches[1].get("breaker:payments") is None
    time.now += 1
    assert (await other.request("GET", "/")).status_code == 200


async def test_a_failed_probe_opens_it_for_all_again(two):
    (one, other), provider, time, _ = two
    await fail(one)
    await fail(one)
    time.now += 30
    await fail(one)
    with pytest.raises(CircuitOpen):
        await other.request("GET", "/")
    assert len(provider.calls) == 3


async def test_breakers_are_told_apart_by_name(two):
    (one, _), _, _, caches = two
    await fail(one)
    await fail(one)
    elsewhere = Outbound("mail", "http://m.test", transport=httpx.MockTransport(Provider(200)), cache=caches[1])
    assert (await elsewhere.request("GET", "/")).status_code == 200


async def test_without_the_cache_each_process_has_its_own_breaker():
    cache = Cache(local.from_url(f"redis://127.0.0.1:{free_port()}"))
    time, provider = Time(), Provider(503)
    transport, limits = httpx.MockTransport(provider), Limits(attempts=1, breaker_failures=2)
    one, other = (
        Outbound("p", "http://p.test", limits, transport=transport, cache=cache, clock=time) for _ in range(2)
    )
    await fail(one)
    await fail(one)
    with pytest.raises(CircuitOpen):
        await one.request("GET", "/")
    await fail(other)
    await cache.close()
