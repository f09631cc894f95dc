"""Cache here: this process's memory, or a Redis without a login, which only a checkout takes."""

import time
from collections import OrderedDict
from collections.abc import Callable

from twofold.redis import PORT, RedisDriver, location

MAX_BYTES = 32 * 1024 * 1024
ENTRY_BYTES = 200
"""What an entry takes beside its key and value, about."""


def from_url(url: str) -> "MemoryDriver | RedisDriver":
    """The driver of `memory:` or `redis://<host>[:<port>][/<database>]`; connects at the first use."""
    if url.startswith("memory:"):
        return MemoryDriver()
    host, port, (database,) = location(url, "redis://<host>[:<port>][/<database>]", r"(?:/(\d{0,2}))?")
    return RedisDriver(host, port or PORT, database=int(database or 0))


class MemoryDriver:
    """At most 32 MB; what was not used for longest goes first. Other processes see nothing of it."""

    def __init__(self, *, max_bytes: int = MAX_BYTES, clock: Callable[[], float] = time.time) -> None:
        self.redis = None
        self._max_bytes, self._clock = max_bytes, clock
        self._kept: OrderedDict[str, tuple[bytes, float]] = OrderedDict()
        self._bytes = 0

    async def get(self, key: str) -> bytes | None:
        """See `CacheDriver`."""
        entry = self._kept.get(key)
        if entry is None or entry[1] <= self._clock():
            return None
        self._kept.move_to_end(key)
        return entry[0]

    async def set(self, key: str, value: bytes, ttl: float) -> None:
        """See `CacheDriver`."""
        self._forget(key)
        self._kept[key] = (value, self._clock() + ttl)
        self._bytes += _size(key, value)
        while self._bytes > self._max_bytes:
            self._forget(next(iter(self._kept)))

    async def add(self, key: str, value: bytes, ttl: float) -> bool:
        """See `CacheDriver`."""
        if await self.get(key) is not None:
            return False
        await self.set(key, value, ttl)
        return True

    async def replace(self, key: str, expected: bytes, value: bytes, ttl: float) -> bool:
        """See `CacheDriver`."""
        if await self.get(key) != expected:
            return False
        await self.set(key, value, ttl)
        return True

    async def delete(self, key: str) -> None:
        """See `CacheDriver`."""
        self._forget(key)

    async def ping(self) -> None:
        """See `CacheDriver`."""

    async def close(self) -> None:
        """See `CacheDriver`."""
        self._kept.clear()
        self._bytes = 0

    def _forget(self, key: str) -> None:
        if (entry := self._kept.pop(key, None)) is not None:
            self._bytes -= _size(key, entry[0])


def _size(key: str, value: bytes) -> int:
    return len(key) + len(value) + ENTRY_BYTES
