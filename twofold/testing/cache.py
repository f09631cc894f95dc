"""The Cache's promises as tests, over any CacheDriver. A shared cache may hold other keys: each test has its own."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from twofold.errors import ProfileError
from twofold.portable.cache import Cache, CacheDriver
from twofold.portable.profile import MAX_BODY_BYTES


class CacheConformance:
    """Subclass it and define `open_driver`."""

    async def open_driver(self) -> CacheDriver:
        """A driver; where it is shared, each call's is another process's."""
        raise TypeError("define open_driver in the subclass")

    @pytest_asyncio.fixture
    async def cache(self) -> AsyncIterator[Cache]:
        cache = Cache(await self.open_driver(), prefix="t:")
        yield cache
        await cache.close()

    @pytest_asyncio.fixture
    async def other(self, cache: Cache) -> AsyncIterator[Cache]:
        """The same cache as another process sees it, or this process's own once more."""
        if not cache.shared:
            yield Cache(cache.driver, prefix="t:")
            return
        second = Cache(await self.open_driver(), prefix="t:")
        yield second
        await second.close()

    @pytest.fixture
    def key(self) -> str:
        return f"k-{uuid.uuid4().hex}"

    @pytest.mark.parametrize("value", [{"a": [1, 2.5, None, True]}, [], "ä 😀 \u2028", 0, False, 2**53 - 1])
    async def test_set_get_delete(self, cache: Cache, key: str, value: Any) -> None:
        """A value is read with its type, as it was set last, until it is deleted; deleting what is missing is no error."""
        assert await cache.get(key) is None
        await cache.set(key, value, 60)
        read = await cache.get(key)
        assert read == value and type(read) is type(value)
        await cache.set(key, "newer", 60)
        assert await cache.get(key) == "newer"
        await cache.delete(key)
        assert await cache.get(key) is None
        await cache.delete(key)

    async def test_expiry(self, cache: Cache, key: str) -> None:
        """A value is gone once its time to live is over."""
        await cache.set(key, 1, 0.1)
        await cache.set(f"{key}-2", 2, 60)
        await asyncio.sleep(0.15)
        assert await cache.get(key) is None and await cache.get(f"{key}-2") == 2

    async def test_keys_are_apart(self, cache: Cache, key: str) -> None:
        """Keys that look alike, and the longest one, don't share a value."""
        keys = [key, f"{key}:", f"{key} x", f"{key}*", f"{key}ä", f"{key.upper()}", "x" * 900 + key]
        for number, one in enumerate(keys):
            await cache.set(one, number, 60)
        assert [await cache.get(one) for one in keys] == list(range(len(keys)))

    @pytest.mark.parametrize("key", ["", "a/b", "a\n", "x" * 1024, "a ", "a?"])
    async def test_keys_are_portable(self, cache: Cache, key: str) -> None:
        """A key that some backend could not take is refused by every call."""
        for call in (cache.get(key), cache.set(key, 1, 1), cache.delete(key), cache.get_or_load(key, 1, self.load)):
            with pytest.raises(ProfileError):
                await call

    @pytest.mark.parametrize("value", [2**53, float("nan"), {"a": b""}, "x" * MAX_BODY_BYTES, "\ud800"])
    async def test_values_are_portable(self, cache: Cache, key: str, value: Any) -> None:
        """A value that is no portable JSON, or too large, is refused and not stored."""
        with pytest.raises(ProfileError):
            await cache.set(key, value, 60)
        assert await cache.get(key) is None

    @pytest.mark.parametrize("ttl", [0, -1, float("nan"), float("inf"), 31 * 86_400])
    async def test_times_to_live_are_portable(self, cache: Cache, key: str, ttl: float) -> None:
        """A time to live is a number of seconds above 0, of 30 days at most."""
        with pytest.raises(ProfileError):
            await cache.set(key, 1, ttl)

    async def load(self) -> Any:
        """What a test's load brings, slowly."""
        self.loads = getattr(self, "loads", 0) + 1
        await asyncio.sleep(0.05)
        return {"load": self.loads, "pair": (1, 2)}

    async def test_concurrent_misses_load_once(self, cache: Cache, other: Cache, key: str) -> None:
        """Of many concurrent misses, in two processes, one loads, and all get what it loaded."""
        askers = [cache, other] * 10
        values = await asyncio.gather(*(asker.get_or_load(key, 60, self.load) for asker in askers))
        values.append(await cache.get_or_load(key, 60, self.load))
        assert self.loads == 1 and all(one == {"load": 1, "pair": [1, 2]} for one in values)

    async def test_slow_load_elsewhere(self, cache: Cache, other: Cache, key: str) -> None:
        """Who waits too long for another process's load loads for itself and stores nothing."""
        begun, loaded = asyncio.Event(), asyncio.Event()

        async def slow() -> str:
            begun.set()
            await loaded.wait()
            return "slow"

        first = asyncio.create_task(cache.get_or_load(key, 60, slow))
        await begun.wait()
        assert (await other.get_or_load(key, 60, self.load))["load"] == 1
        assert await other.get(key) is None  # whose load is first keeps the right to store
        loaded.set()
        assert await first == "slow" and await other.get(key) == "slow"

    async def test_failed_load(self, cache: Cache, key: str) -> None:
        """A load's error reaches all who wait for it and is not stored."""

        async def fail() -> None:
            await asyncio.sleep(0.02)
            raise LookupError("no")

        failed = await asyncio.gather(*(cache.get_or_load(key, 60, fail) for _ in range(3)), return_exceptions=True)
        assert [type(one) for one in failed] == [LookupError] * 3
        await asyncio.sleep(0.01)
        assert (await cache.get_or_load(key, 60, self.load))["load"] == 1
        assert (await cache.get(key))["load"] == 1

    async def test_cancelled_caller(self, cache: Cache, key: str) -> None:
        """A load goes on for others when the caller that began it is cancelled."""
        first = asyncio.create_task(cache.get_or_load(key, 60, self.load))
        await asyncio.sleep(0.02)
        second = asyncio.create_task(cache.get_or_load(key, 60, self.load))
        await asyncio.sleep(0.01)
        first.cancel()
        assert (await second)["load"] == 1 and self.loads == 1

    @pytest.mark.parametrize("by", ["set", "delete"])
    async def test_change_during_a_load(self, cache: Cache, other: Cache, key: str, by: str) -> None:
        """A load that began before a set or delete, elsewhere too, does not store its older value."""
        begun, go = asyncio.Event(), asyncio.Event()

        async def late() -> str:
            begun.set()
            await go.wait()
            return "old"

        loading = asyncio.create_task(cache.get_or_load(key, 60, late))
        await begun.wait()
        await (other.set(key, "new", 60) if by == "set" else other.delete(key))
        go.set()
        assert await loading == "old"
        assert await cache.get(key) == ("new" if by == "set" else None)

    async def test_miss_after_a_delete(self, cache: Cache, key: str) -> None:
        """Who misses after a delete does not wait for a load from before it."""
        begun, go = asyncio.Event(), asyncio.Event()

        async def old() -> str:
            begun.set()
            await go.wait()
            return "old"

        async def new() -> str:
            return "new"

        loading = asyncio.create_task(cache.get_or_load(key, 60, old))
        await begun.wait()
        await cache.delete(key)
        assert await cache.get_or_load(key, 60, new) == "new"
        go.set()
        assert await loading == "old" and await cache.get(key) == "new"
