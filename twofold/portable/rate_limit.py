"""RateLimiter: so many within so long, by key. Exact across processes with a shared cache, else in each on its own."""

import logging
import math
import re
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from twofold.errors import CacheUnavailable
from twofold.portable.cache import Cache

SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
MAX_KEYS = 10_000
"""Keys that a process counts in memory; whose was not met for longest starts anew."""
_RATE = re.compile(rf"([1-9]\d{{0,5}})/({'|'.join(SECONDS)})")

log = logging.getLogger("twofold.limits")


@dataclass(frozen=True, slots=True)
class Rate:
    """`count` within any `seconds`."""

    count: int
    seconds: int

    @classmethod
    def parse(cls, text: str) -> "Rate | None":
        """`600/minute`, also second, hour and day; None for an empty text: no limit. Raises ValueError."""
        if not text:
            return None
        if (match := _RATE.fullmatch(text)) is None:
            raise ValueError(
                "it must be like 600/minute (1 to 999999; second, minute, hour or day), or empty: no limit"
            )
        return cls(int(match[1]), SECONDS[match[2]])


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether one more is allowed, how many more are now, and in how many seconds the oldest that counts does no longer."""

    allowed: bool
    remaining: int
    reset: int


class RateLimiter:
    """A moving window per key: in no stretch of `rate.seconds` are more than `rate.count` allowed. Refused ones don't count.

    With a shared cache the window is one for all processes (up to the differences of their clocks), for two round trips;
    while that is down each process counts in its memory, from nothing, and the log says so once.
    """

    def __init__(self, cache: Cache, *, clock: Callable[[], float] = time.time) -> None:
        self._cache, self._clock = cache, clock
        self._windows: OrderedDict[tuple[Rate, tuple[str, ...]], deque[float]] = OrderedDict()
        self._alone = False

    async def hit(self, rate: Rate, *key: str) -> Verdict:
        """Counts one more under `key`, if it is allowed."""
        if not self._cache.shared:
            return self._hit_here(rate, key)
        windows = self._shared  # importing its library may take longer than a call may
        verdict = await self._cache.attempt(lambda: _hit(windows, rate, key, self._clock), None)
        if self._alone != (verdict is None):
            self._alone = verdict is None
            log.warning("limits are counted %s", "in this process alone" if self._alone else "across processes again")
        return verdict or self._hit_here(rate, key)

    @cached_property
    def _shared(self) -> Any:
        # A quarter of a FastAPI import, so only beside a Redis. Its own memory storage looks through all keys at each hit.
        from limits.aio.storage import RedisStorage
        from limits.aio.strategies import MovingWindowRateLimiter

        storage = RedisStorage(
            "async+redis://", implementation="redispy", wrap_exceptions=True, key_prefix=f"{self._cache.prefix}limits",
            connection_pool=self._cache.driver.redis.connection_pool,
        )  # fmt: skip
        return MovingWindowRateLimiter(storage)

    def _hit_here(self, rate: Rate, key: tuple[str, ...]) -> Verdict:
        now = self._clock()
        window = self._windows.setdefault((rate, key), deque())
        self._windows.move_to_end((rate, key))
        if len(self._windows) > MAX_KEYS:
            self._windows.popitem(last=False)
        while window and window[0] <= now - rate.seconds:
            window.popleft()
        if allowed := len(window) < rate.count:
            window.append(now)
        return Verdict(allowed, rate.count - len(window), _reset(window[0] + rate.seconds - now))


async def _hit(windows: Any, rate: Rate, key: tuple[str, ...], clock: Callable[[], float]) -> Verdict:
    from limits import RateLimitItemPerSecond
    from limits.errors import StorageError

    item = RateLimitItemPerSecond(rate.count, rate.seconds)
    try:
        allowed = await windows.hit(item, *key)
        window = await windows.get_window_stats(item, *key)
    except StorageError as exc:
        raise CacheUnavailable(f"Redis: {exc.storage_error}") from exc
    return Verdict(allowed, window.remaining, _reset(window.reset_time - clock()))


def _reset(seconds: float) -> int:
    return max(1, math.ceil(seconds))
