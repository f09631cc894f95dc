"""`python -m bench.limits [REDIS_URL]`: what the rate limit layer adds to a request, and what the cache saves a list.

One request after another in this process, no server between; without a URL it starts the `redis-server` on PATH. The numbers
are this machine's.
"""

import asyncio
import logging
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from api.manifest import SERVICE
from api.orders import handlers, views
from api.orders.commands import Line, PlaceOrder
from tools import redis_server
from twofold.bootstrap import bootstrap
from twofold.emulators.process import free_port, serving
from twofold.http.rate_limit import rate_limit
from twofold.local import cache as local
from twofold.portable.cache import Cache
from twofold.portable.rate_limit import RateLimiter
from twofold.settings import Settings

REQUESTS, ROUNDS = 2000, 5


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answers."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def microseconds(call: Callable[[int], Awaitable[Any]]) -> float:
    """The median round's time of one call."""
    rounds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for n in range(REQUESTS):
            await call(n)
        rounds.append((time.perf_counter() - started) / REQUESTS * 1e6)
    return statistics.median(rounds)


async def requests(layered: Any) -> float:
    """A request to an application that does nothing, from 100 addresses."""

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        pass

    async def call(n: int) -> None:
        scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "client": (f"10.0.0.{n % 100}", 0)}
        await layered(scope, receive, send)

    await call(0)
    return await microseconds(call)


async def lists(folder: Path, driver: Any) -> tuple[float, float]:
    """A customer's list of 20 orders on SQLite: read from the read model, and from the cache."""
    environ = {f"TWOFOLD_{block}_URL": f"sqlite:///{folder}/store.db" for block in ("STORE", "QUEUE")}
    services = bootstrap(Settings.load(environ, SERVICE, folder), SERVICE, cache_driver=driver)
    model = services.read_models.generation(views.ORDERS, 0)
    for n in range(20):
        command = PlaceOrder(customer_id="c-1", currency="EUR", lines=[Line(sku="A", quantity=1, unit_price=1)])
        await handlers.place_order(services, f"o-{n}", command)
        stream = await services.events.read(handlers.stream_of(f"o-{n}"))
        await views.project(services, model, _Commit(stream.events[0].stream))

    async def read(n: int) -> None:
        await views._page(model, "c-1", None, 20, None)

    async def cached(n: int) -> None:
        await views.list_orders(services, "c-1", None, 20, None)

    await cached(0)
    times = await microseconds(read), await microseconds(cached)
    await services.close()
    return times


class _Commit:
    def __init__(self, stream: str) -> None:
        self.stream = stream


async def main(redis_url: str) -> None:
    """Measures and prints."""
    logging.disable(logging.WARNING)
    settings = Settings(limit_anonymous="999999/hour")
    bare = await requests(app)
    table = Table("cache", "limits add, µs a request", "list from the read model, µs", "list from the cache, µs")
    for url in ("memory:", redis_url):
        cache = Cache(local.from_url(url), prefix=f"bench-{time.time_ns()}:")
        limited = await requests(rate_limit(app, RateLimiter(cache), settings))
        with tempfile.TemporaryDirectory() as folder:
            read, cached = await lists(Path(folder), local.from_url(url))
        await cache.close()
        table.add_row(url.partition(":")[0], f"{limited - bare:.0f}", f"{read:.0f}", f"{cached:.0f}")
    Console().print(table)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        asyncio.run(main(sys.argv[1]))
    else:
        port = free_port()
        with serving(redis_server.command(port), port) as url:
            asyncio.run(main(url.replace("http:", "redis:")))
