"""The CacheDriver that speaks Redis, shared by every home; each home brings the login.

One endpoint and single-key commands only: what a proxy before a cluster (ElastiCache Serverless, Azure Managed Redis) takes
as well as a server of one's own.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

from twofold.errors import CacheUnavailable, SettingsError
from twofold.portable.cache import CONCURRENT_CALLS

PORT = 6379
RENEW_SECONDS = 60
"""How long before its end a login is renewed."""
REPLACE = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) return 1 end return 0"


def location(url: str, form: str, path: str = "") -> tuple[str, int | None, tuple[str, ...]]:
    """Host, port if any, and the groups of `path`, a pattern; SettingsError, which shows the form, for any other URL."""
    match = re.fullmatch(rf"\w+://([\w.-]+)(?::(\d{{1,5}}))?{path}", url)
    if match is None:
        raise SettingsError([f"TWOFOLD_CACHE_URL is {url!r}: it must be {form}"])
    host, port, *groups = match.groups()
    return host, int(port) if port else None, tuple(groups)


@dataclass(frozen=True, slots=True)
class Login:
    """A user and a short-lived password, good until `until` (Unix time)."""

    user: str
    password: str
    until: float


class Logins:
    """The latest login, renewed before it ends; `renew` makes one and raises `CacheUnavailable` when it can't."""

    def __init__(self, renew: Callable[[], Awaitable[Login]]) -> None:
        self._renew = renew
        self._latest: Login | None = None
        self._lock = asyncio.Lock()

    async def get(self) -> Login:
        """A login that is good for a while."""
        async with self._lock:
            if self._latest is None or ending(self._latest.until):
                self._latest = await self._renew()
            return self._latest

    def refused(self) -> None:
        """Forgets the latest login: the server did not take it."""
        self._latest = None


def ending(until: float) -> bool:
    """Whether a login that ends then should be renewed now."""
    return time.time() >= until - RENEW_SECONDS


class RedisDriver:
    """GET, SET and DEL, and one script. Connections are made at the first use, with the login's TLS and password.

    A connection whose login is about to end logs in again before its next command, so that the server does not cut it.
    """

    def __init__(self, host: str, port: int, *, database: int = 0, logins: Logins | None = None) -> None:
        self._host, self._port, self._database, self._logins = host, port, database, logins

    @cached_property
    def redis(self) -> Any:
        """The redis-py client, imported here: half a FastAPI import."""
        from redis.asyncio import Redis

        return Redis(connection_pool=_pool(self._host, self._port, self._database, self._logins))

    async def get(self, key: str) -> bytes | None:
        """See `CacheDriver`."""
        value: bytes | None = await self._call(lambda: self.redis.get(key))
        return value

    async def set(self, key: str, value: bytes, ttl: float) -> None:
        """See `CacheDriver`."""
        await self._call(lambda: self.redis.set(key, value, px=_ms(ttl)))

    async def add(self, key: str, value: bytes, ttl: float) -> bool:
        """See `CacheDriver`."""
        return bool(await self._call(lambda: self.redis.set(key, value, px=_ms(ttl), nx=True)))

    async def replace(self, key: str, expected: bytes, value: bytes, ttl: float) -> bool:
        """See `CacheDriver`."""
        return bool(await self._call(lambda: self.redis.eval(REPLACE, 1, key, expected, value, _ms(ttl))))

    async def delete(self, key: str) -> None:
        """See `CacheDriver`."""
        await self._call(lambda: self.redis.delete(key))

    async def ping(self) -> None:
        """See `CacheDriver`."""
        await self._call(lambda: self.redis.ping())

    async def close(self) -> None:
        """See `CacheDriver`."""
        if "redis" in self.__dict__:
            await self.redis.aclose()
            await self.redis.connection_pool.disconnect()

    async def _call[T](self, call: Callable[[], Awaitable[T]]) -> T:
        from redis.exceptions import RedisError

        try:
            return await call()
        except (RedisError, OSError) as exc:
            raise CacheUnavailable(f"Redis at {self._host}:{self._port}: {exc or type(exc).__name__}") from exc


def _pool(host: str, port: int, database: int, logins: Logins | None) -> Any:
    from redis.asyncio import BlockingConnectionPool, Connection, SSLConnection
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff
    from redis.credentials import CredentialProvider
    from redis.exceptions import AuthenticationError, ConnectionError

    class Credentials(CredentialProvider):
        def get_credentials(self) -> tuple[str, str]:
            raise TypeError("connections are made asynchronously")

        async def get_credentials_async(self) -> tuple[str, str]:
            assert logins is not None
            login = await logins.get()
            return login.user, login.password

    class Pool(BlockingConnectionPool):
        """Keeps for each connection until when it is logged in."""

        until: WeakKeyDictionary[Any, float]

        async def ensure_connection(self, connection: Any) -> None:
            if logins is None:
                await super().ensure_connection(connection)
                return
            known = self.until.get(connection) if connection.is_connected else None
            try:
                if known is not None and ending(known):
                    login = await logins.get()
                    await connection.send_command("AUTH", login.user, login.password)
                    await connection.read_response()
                    self.until[connection] = login.until
                await super().ensure_connection(connection)
            except AuthenticationError:
                logins.refused()
                await connection.disconnect()
                raise
            if known is None:
                self.until[connection] = (await logins.get()).until

    options: dict[str, Any] = {
        "host": host, "port": port, "db": database, "protocol": 2, "socket_timeout": 2, "socket_connect_timeout": 2,
        "max_connections": CONCURRENT_CALLS, "timeout": 2,
        # What was cut while idle is seen at the first byte; a second try on a new connection is all it takes.
        "retry": Retry(NoBackoff(), 1, supported_errors=(ConnectionError,)),
    }  # fmt: skip
    if logins is not None:
        options |= {"credential_provider": Credentials(), "ssl_min_version": _tls12()}
    pool = Pool(connection_class=Connection if logins is None else SSLConnection, **options)
    pool.until = WeakKeyDictionary()
    return pool


def _tls12() -> Any:
    import ssl

    return ssl.TLSVersion.TLSv1_2


def _ms(ttl: float) -> int:
    return max(1, round(ttl * 1000))
