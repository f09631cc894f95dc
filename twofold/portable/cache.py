"""Cache: JSON values by key for a while, loaded once at a time. A cache that is down is a miss, never an error.

Stored under `<prefix><key>`: `=` and the value as JSON, or `?` and the token of who is loading it.
"""

import asyncio
import json
import logging
import secrets
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from twofold.errors import CacheUnavailable, ProfileError
from twofold.portable import profile

CALL_SECONDS = 0.5
"""What a call may wait for the cache; a cache that takes longer is down."""
CONCURRENT_CALLS = 8
"""Calls under way at once: the time of those that wait for one does not run, so that a burst does not look like a failure."""
PROBE_SECONDS = 5.0
PAUSES = (0.1, 10.0)
"""Seconds between the probes of a cache that is down: the first pause, then doubled up to the second."""
LEASE_SECONDS = 10.0
"""How long one loader keeps others from storing what they loaded; who is slower stores nothing."""
JOIN_SECONDS, JOIN_STEP = 0.2, 0.01
MAX_TTL_SECONDS = 30 * 86_400
VALUE, LEASE = b"=", b"?"

log = logging.getLogger("twofold.cache")


class CacheDriver(Protocol):
    """What a cache implements: bytes by key, each for `ttl` seconds. Raises `CacheUnavailable`."""

    redis: Any
    """The redis-py client of what all processes share; None where what is kept is this process's own."""

    async def get(self, key: str) -> bytes | None:
        """The value, or None."""
        ...

    async def set(self, key: str, value: bytes, ttl: float) -> None:
        """Keeps `value`, whatever there was."""
        ...

    async def add(self, key: str, value: bytes, ttl: float) -> bool:
        """Keeps `value` unless there is one; whether it did, atomically."""
        ...

    async def replace(self, key: str, expected: bytes, value: bytes, ttl: float) -> bool:
        """Keeps `value` where `expected` is; whether it did, atomically."""
        ...

    async def delete(self, key: str) -> None:
        """Forgets the key."""
        ...

    async def ping(self) -> None:
        """Returns when the cache answers."""
        ...

    async def close(self) -> None:
        """Releases connections."""
        ...


class Cache:
    """JSON values of at most 350 KB, by keys of at most 1,023 bytes without / \\ ? #, each for its time to live in seconds.

    - No method raises what the cache's failures are: they are misses, and what was to be kept is not. Whoever finds a cache
      down waits half a second for it at most. From then on nobody waits: it is asked beside the requests, at least every ten
      seconds, until it answers.
    - Nothing is served longer than its time to live; it may be forgotten earlier.
    - What a load that began before a `set` or `delete` of its key brings is not kept. The exceptions: that call found the
      cache down, or the cache itself lost it (a failover). Then the time to live is the bound, so keep it short.
    - Values outlive a deployment: a key should name the shape of its value, and change with it.
    """

    def __init__(self, driver: CacheDriver, *, prefix: str = "") -> None:
        self.driver = driver
        self.prefix = prefix
        self._loading: dict[str, asyncio.Task[bytes]] = {}
        self._probe: asyncio.Task[None] | None = None
        self._slots = asyncio.Semaphore(CONCURRENT_CALLS)

    @property
    def shared(self) -> bool:
        """Whether other processes see what this one keeps."""
        return self.driver.redis is not None

    async def get(self, key: str) -> Any:
        """The value; None for a miss."""
        return _value(await self._read(self._name(key)))

    async def set(self, key: str, value: Any, ttl: float) -> None:
        """Keeps a value for `ttl` seconds. Raises `ProfileError`."""
        name, encoded = self._name(key), VALUE + profile.encode_json(value, "value")
        _check_ttl(ttl)
        self._loading.pop(name, None)
        await self.attempt(lambda: self.driver.set(name, encoded, ttl), None)

    async def delete(self, key: str) -> None:
        """Forgets the value, and keeps those who load it now from storing what they read."""
        name = self._name(key)
        self._loading.pop(name, None)
        await self.attempt(lambda: self.driver.delete(name), None)

    async def get_or_load(self, key: str, ttl: float, load: Callable[[], Awaitable[Any]]) -> Any:
        """The value, else what `load` returns, kept for `ttl` seconds. Raises what `load` raises, and keeps nothing then.

        Many who miss at once load once: those of one process wait for the first; those of other processes wait 0.2 s for
        it, then load for themselves. A load goes on when who began it is cancelled.
        """
        name = self._name(key)
        _check_ttl(ttl)
        task = self._loading.get(name)
        if task is None:
            if (stored := await self._read(name)) is not None and stored[:1] == VALUE:
                return _value(stored)
            # Nobody awaits between this look and the next line's entry: whoever came meanwhile began it.
            task = self._loading.get(name)
        if task is None:
            task = asyncio.create_task(self._load(name, ttl, load))
            self._loading[name] = task
            task.add_done_callback(lambda done: self._ended(name, done))
        return _value(await asyncio.shield(task))

    async def attempt[T, O](self, work: Callable[[], Awaitable[T]], otherwise: O) -> T | O:
        """What `work`, some calls of the cache, returns; `otherwise` while the cache is down."""
        if self._probe is not None:
            return otherwise
        _ = self.driver.redis  # importing its library may take longer than a call may
        async with self._slots:
            if self._probe is not None:
                return otherwise
            try:
                async with asyncio.timeout(CALL_SECONDS):
                    return await work()
            except (CacheUnavailable, TimeoutError) as exc:
                if self._probe is None:
                    why = str(exc) or "no answer in time"
                    log.warning("the cache is down, this goes on without it: %s", why)
                    self._probe = asyncio.create_task(self._until_it_answers())
                return otherwise

    async def ping(self) -> None:
        """Returns when the cache answers; raises `CacheUnavailable`, which is for health checks alone."""
        await self.driver.ping()

    async def close(self) -> None:
        """Releases the driver's connections."""
        for task in (self._probe, *self._loading.values()):
            if task is not None:
                task.cancel()
        await self.driver.close()

    async def _load(self, name: str, ttl: float, load: Callable[[], Awaitable[Any]]) -> bytes:
        lease = LEASE + secrets.token_hex(8).encode()
        mine = await self.attempt(lambda: self.driver.add(name, lease, LEASE_SECONDS), None)
        if mine is False and (loaded := await self._join(name)) is not None:
            return loaded
        try:
            encoded = VALUE + profile.encode_json(await load(), "value")
        except Exception:
            if mine:  # the lease ends now, and nothing else that may be there
                await self.attempt(lambda: self.driver.replace(name, lease, lease, 0.001), False)
            raise
        if mine:
            await self.attempt(lambda: self.driver.replace(name, lease, encoded, ttl), False)
        return encoded

    async def _join(self, name: str) -> bytes | None:
        """What another process's load brings, within the time that is worth waiting."""
        for _ in range(round(JOIN_SECONDS / JOIN_STEP)):
            await asyncio.sleep(JOIN_STEP)
            stored = await self._read(name)
            if stored is None or stored[:1] == VALUE:
                return stored
        return None

    async def _read(self, name: str) -> bytes | None:
        return await self.attempt(lambda: self.driver.get(name), None)

    async def _until_it_answers(self) -> None:
        pause, longest = PAUSES
        while True:
            await asyncio.sleep(pause)
            try:
                async with asyncio.timeout(PROBE_SECONDS):
                    await self.driver.ping()
                break
            except (CacheUnavailable, TimeoutError):
                pause = min(pause * 2, longest)
        log.warning("the cache is back")
        self._probe = None

    def _ended(self, name: str, task: asyncio.Task[bytes]) -> None:
        if self._loading.get(name) is task:
            del self._loading[name]
        if not task.cancelled():
            task.exception()  # its waiters have it, where there are any left

    def _name(self, key: str) -> str:
        profile.check_key("cache key", key, profile.MAX_ID_BYTES)
        return self.prefix + key


def _value(stored: bytes | None) -> Any:
    return json.loads(stored[1:]) if stored is not None and stored[:1] == VALUE else None


def _check_ttl(ttl: float) -> None:
    if not 0.001 <= ttl <= MAX_TTL_SECONDS:
        raise ProfileError(f"a time to live is {ttl} s; it must be 0.001 to {MAX_TTL_SECONDS}")
