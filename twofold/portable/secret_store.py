"""SecretStore: secrets by name, cached, refreshed when they turn out wrong, served stale while the vault is down."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from twofold.errors import SecretNotFound, SecretRefused, SecretsUnavailable
from twofold.portable import profile, telemetry
from twofold.portable.logs import conceal


class SecretDriver(Protocol):
    """What a vault implements; names and values were checked before. Raises `SecretsUnavailable`, `SecretRefused`."""

    async def get(self, name: str) -> str | None:
        """The latest value, or None when there is no such secret."""
        ...

    async def set(self, name: str, value: str) -> None:
        """Makes `value` the latest one, creating the secret when it is missing."""
        ...

    async def close(self) -> None:
        """Releases connections."""
        ...


@dataclass(frozen=True, slots=True)
class _Cached:
    value: str
    until: float


class SecretStore:
    """Secrets by name, `[a-z0-9-]`, at most 25 KB.

    - A value is cached for `ttl` seconds (300 unless told), so a rotation is seen within that time, or at once through
      `refresh`, which is what to call when a login with the value was refused.
    - While the vault is down, or refuses, the last known value is served; without one `SecretsUnavailable` or `SecretRefused`
      is raised.
    - Concurrent first reads of one secret cost one call.
    """

    def __init__(
        self, driver: SecretDriver, *, ttl: float = 300.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.driver = driver
        self._ttl = ttl
        self._clock = clock
        self._cache: dict[str, _Cached] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def get(self, name: str) -> str:
        """The value, at most `ttl` seconds old while the vault answers.

        Raises `SecretNotFound`, `SecretRefused`, `SecretsUnavailable`.
        """
        profile.check_secret_name(name)
        cached = self._cache.get(name)
        if cached is not None and self._clock() < cached.until:
            return cached.value
        async with self._locks.setdefault(name, asyncio.Lock()):
            cached = self._cache.get(name)
            if cached is not None and self._clock() < cached.until:
                return cached.value
            return await self._load(name)

    async def refresh(self, name: str, *, rejected: str) -> str:
        """The value after `rejected` was refused by whom it is for: read again unless a newer one is known."""
        profile.check_secret_name(name)
        async with self._locks.setdefault(name, asyncio.Lock()):
            cached = self._cache.get(name)
            if cached is not None and cached.value != rejected:
                return cached.value
            return await self._load(name)

    async def set(self, name: str, value: str) -> None:
        """Writes a new value and serves it from now on. Raises `SecretsUnavailable`, `SecretRefused`."""
        profile.check_secret_name(name)
        profile.check_secret_value(value)
        conceal(value)
        await self.driver.set(name, value)
        self._cache[name] = _Cached(value, self._clock() + self._ttl)

    async def close(self) -> None:
        """Releases the driver's connections."""
        await self.driver.close()

    async def _load(self, name: str) -> str:
        try:
            with telemetry.span(f"get secret {name}", telemetry.CLIENT):
                value = await self.driver.get(name)
        except (SecretRefused, SecretsUnavailable):
            if (stale := self._cache.get(name)) is None:
                raise
            # Ask again soon, but not at every request while the vault is down.
            self._cache[name] = _Cached(stale.value, self._clock() + min(self._ttl, 5.0))
            return stale.value
        if value is None:
            self._cache.pop(name, None)
            raise SecretNotFound(name)
        conceal(value)
        self._cache[name] = _Cached(value, self._clock() + self._ttl)
        return value
