"""A cache that is down costs next to nothing and is no error; memory is bounded."""

import asyncio
import re
import time
from types import SimpleNamespace

import pytest

from tests.emulators.tool import needing
from tools import redis_server
from twofold.driver_registry import open_driver
from twofold.emulators.process import free_port, serving
from twofold.errors import CacheUnavailable, SettingsError
from twofold.local import cache as local
from twofold.local.cache import ENTRY_BYTES, MemoryDriver
from twofold.portable.cache import CALL_SECONDS, Cache
from twofold.testing import Clock


async def load():
    return "loaded"


async def eventually(check, timeout=60.0):
    deadline = time.monotonic() + timeout
    while not await check():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


@pytest.fixture
async def silent():
    """A server that takes connections and never answers."""
    connections = []

    async def hold(reader, writer):
        connections.append(writer)
        await reader.read()

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    for writer in connections:
        writer.close()
    server.close()


async def assert_down_is_a_miss(cache, first):
    _ = cache.driver.redis  # its import is not what is measured
    assert await cache.get_or_load("a", 60, load) == "loaded"
    calls = [
        call
        for _ in range(50)
        for call in (cache.get("a"), cache.set("a", 1, 60), cache.delete("a"), cache.get_or_load("a", 60, load))
    ]
    driver, cache.driver = cache.driver, SimpleNamespace(redis=None, ping=cache.driver.ping)
    assert await asyncio.gather(*calls) == [None, None, None, "loaded"] * 50, "what is known to be down is not asked"
    cache.driver = driver
    with pytest.raises((CacheUnavailable, TimeoutError)):
        await asyncio.wait_for(cache.ping(), first)
    await cache.close()


async def test_a_cache_that_refuses_connections_is_a_miss(caplog):
    cache = Cache(local.from_url(f"redis://127.0.0.1:{free_port()}"))
    await assert_down_is_a_miss(cache, 1)
    assert caplog.text.count("the cache is down") == 1


async def test_a_cache_that_never_answers_costs_its_finder_half_a_second(silent, caplog):
    cache = Cache(local.from_url(silent))
    _ = cache.driver.redis
    started, askers = time.perf_counter(), 20
    assert await asyncio.gather(*(cache.get(f"k-{n}") for n in range(askers))) == [None] * askers
    assert time.perf_counter() - started < CALL_SECONDS * askers / 2, "they wait side by side"
    await assert_down_is_a_miss(cache, 0.5)
    assert caplog.text.count("the cache is down") == 1


async def test_a_cache_that_comes_back_is_used_again(caplog):
    port = free_port()
    command = needing(lambda: redis_server.command(port))
    cache = Cache(local.from_url(f"redis://127.0.0.1:{port}"))
    with serving(command, port):
        await cache.set("a", 1, 60)
        assert await cache.get("a") == 1
    assert await cache.get("a") is None
    with serving(command, port):

        async def kept():
            await cache.set("b", 2, 60)
            return await cache.get("b") == 2

        await eventually(kept)
        assert await cache.get("a") is None
    assert caplog.text.count("the cache is back") == 1
    await cache.close()


async def test_a_connection_that_was_cut_while_idle_costs_no_miss(redis_url, caplog):
    cache, admin = Cache(local.from_url(redis_url)), local.from_url(redis_url)
    await cache.set("idle", 1, 60)
    await admin.redis.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    assert await cache.get("idle") == 1 and "down" not in caplog.text
    await cache.close()
    await admin.close()


async def test_a_call_that_is_cancelled_leaves_no_answer_to_the_next(redis_url):
    cache = Cache(local.from_url(redis_url))
    for n in range(20):
        await cache.set(f"c-{n}", n, 60)
    for n in range(200):
        task = asyncio.create_task(cache.get(f"c-{n % 20}"))
        await asyncio.sleep(0 if n % 3 else 0.0001)
        task.cancel()
        assert await cache.get(f"c-{(n + 1) % 20}") == (n + 1) % 20
    await cache.close()


async def test_prefixes_keep_services_apart(redis_url):
    one, two = (Cache(local.from_url(redis_url), prefix=prefix) for prefix in ("shop-dev:", "shop-prod:"))
    await one.set("a", 1, 60)
    assert await two.get("a") is None and await one.driver.get("shop-dev:a") == b"=1"
    await one.close()
    await two.close()


async def test_memory_is_bounded_and_forgets_what_was_not_used_for_longest():
    driver = MemoryDriver(max_bytes=10 * (ENTRY_BYTES + 101), clock=(clock := Clock(0)))
    for n in range(10):
        await driver.set(str(n), b"x" * 100, 60)
    assert await driver.get("0") is not None
    await driver.set("a", b"x" * 100, 60)
    assert await driver.get("1") is None and await driver.get("0") is not None
    await driver.set("a", b"x" * 10_000, 60)
    assert await driver.get("a") is None and await driver.get("0") is None and driver._bytes == 0
    await driver.set("b", b"x", 60)
    clock.advance(60)
    assert await driver.get("b") is None


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("redis://h:port", "redis://<host>[:<port>][/<database>]"),
        ("redis://", "redis://<host>"),
        ("azureredis://h/x", "azureredis://<host>[:<port>]"),
        ("elasticache://h:6379/eu-central-1/c", "/<region>/<cache>/<user>"),
    ],
)
def test_a_location_of_another_form_is_told(url, message):
    with pytest.raises(SettingsError, match=re.escape(message)):
        open_driver("cache", url)


def test_a_location_is_read_as_written():
    driver = open_driver("cache", "redis://127.0.0.1:7/3")
    assert (driver._host, driver._port, driver._database) == ("127.0.0.1", 7, 3)
    assert isinstance(open_driver("cache", "memory:"), MemoryDriver)
