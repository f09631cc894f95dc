"""The cached list: from the cache when it may, the projection's change at once, and never another customer's."""

import asyncio
import itertools

import pytest

from api.manifest import SERVICE
from api.orders import handlers, views
from api.orders.commands import Line, PlaceOrder
from twofold.bootstrap import bootstrap
from twofold.local import cache as local
from twofold.local.feed import LocalFeed
from twofold.portable.feed import Feed
from twofold.settings import Settings
from twofold.testing import Clock

CUSTOMERS = ["c-1", "c-1.x", "c-10", "None", "20", "orders-1"]


class Process:
    """A process of the service on a folder's store; `queries` counts what its read model asks of it."""

    def __init__(self, folder, cache_driver):
        environ = {f"TWOFOLD_{block}_URL": f"sqlite:///{folder}/store.db" for block in ("STORE", "QUEUE")}
        self.services = bootstrap(Settings.load(environ, SERVICE, folder), SERVICE, cache_driver=cache_driver)
        driver, self.queries, self.hold = self.services.documents.driver, 0, None
        query = driver.query

        async def counted(collection, partition, **arguments):
            self.queries += ":customer:" in partition
            page = await query(collection, partition, **arguments)
            if self.hold is not None:
                await self.hold.wait()
            return page

        driver.query = counted

    async def place(self, order_id, customer):
        lines = [Line(sku="A", quantity=1, unit_price=1)]
        await handlers.place_order(
            self.services, order_id, PlaceOrder(customer_id=customer, currency="EUR", lines=lines)
        )

    async def project(self):
        changes = await LocalFeed.of(self.services.documents.driver).changes(0, 1000)
        [consumer] = [one for one in await self.services.consumers() if one.name == "orders@0"]
        await Feed(self.services.events, [consumer]).process([document for _, document in changes])

    async def listed(self, customer, status=None, limit=20, cursor=None):
        page = await views.list_orders(self.services, customer, status, limit, cursor)
        return [row["id"] for row in page["orders"]]


@pytest.fixture(params=["memory", "redis"])
async def processes(request, tmp_path):
    """Two that share a cache: a Redis, or this process's memory."""
    if request.param == "redis":
        url = request.getfixturevalue("redis_url")
        drivers = [local.from_url(url), local.from_url(url)]
        await drivers[0].redis.flushdb()
    else:
        drivers = [local.from_url("memory:")] * 2
    processes = [Process(tmp_path, driver) for driver in drivers]
    yield processes
    for one in processes:
        await one.services.close()


async def test_cached_list(processes):
    """A list is read from the store once, until the projection changes it."""
    web, feed = processes
    await web.place("o-1", "c-1")
    assert await web.listed("c-1") == []
    await feed.project()
    for _ in range(3):
        assert await web.listed("c-1") == ["o-1"]
    assert web.queries == 2
    await web.place("o-2", "c-1")
    await feed.project()
    assert sorted(await web.listed("c-1")) == ["o-1", "o-2"] and web.queries == 3
    await handlers.change(web.services, "o-1", lambda order: order.cancel())
    assert await web.listed("c-1", "cancelled") == []
    await feed.project()
    assert await web.listed("c-1", "cancelled") == ["o-1"]


async def test_lists_are_apart(processes):
    """Nobody sees another customer's list."""
    web, feed = processes
    for number, customer in enumerate(CUSTOMERS):
        for n in range(number):
            await web.place(f"{customer}_{n}", customer)
    await feed.project()
    for _ in range(2):  # loaded, then cached
        for customer, status, limit in itertools.product(CUSTOMERS, (None, "placed", "paid"), (1, 2, 20)):
            ids = await web.listed(customer, status, limit)
            assert all(order_id.rpartition("_")[0] == customer for order_id in ids)
            number = CUSTOMERS.index(customer)
            assert len(ids) == (0 if status == "paid" else min(number, limit))
    first = await views.list_orders(web.services, "20", None, 2, None)
    rest = await web.listed("20", None, 20, first["cursor"])
    assert sorted([row["id"] for row in first["orders"]] + rest) == [f"20_{n}" for n in range(4)]


async def test_change_during_a_load(processes):
    """A list that was loading while the projection changed it is not kept."""
    web, feed = processes
    await web.place("o-1", "c-1")
    web.hold = asyncio.Event()
    loading = asyncio.create_task(web.listed("c-1"))
    while not web.queries:
        await asyncio.sleep(0.005)
    await feed.project()
    web.hold.set()
    assert await loading == []
    assert await web.listed("c-1") == ["o-1"]


async def test_no_shared_cache(tmp_path):
    """Without a shared cache another process is late by its own cache's time at most."""
    web = Process(tmp_path, local.MemoryDriver(clock=(clock := Clock(0))))
    feed = Process(tmp_path, local.from_url("memory:"))
    assert await web.listed("c-1") == []
    await feed.place("o-1", "c-1")
    await feed.project()
    assert await web.listed("c-1") == []
    clock.advance(views.PAGE_SECONDS)
    assert await web.listed("c-1") == ["o-1"]
