"""The process dies before or after each single transaction and call of place → pay → ship, and starts again: the end is the same.

A crash is a BaseException out of the database or the provider's client, after which every further call fails too: so nothing that
the dying code does (releasing a claim, say) reaches the outside. `tests/integration/local` kills real processes.
"""

import contextlib
import json

import httpx
import pytest

from api.manifest import SERVICE
from api.orders.views import BUCKETS
from tests.integration.tokens import bearer
from tests.integration.walk import ORDER
from twofold.bootstrap import bootstrap
from twofold.local import document_store, message_queue, secret_store
from twofold.local.database import Database
from twofold.local.loops import Loops
from twofold.portable.resilience import Outbound
from twofold.runtime import Runtime
from twofold.settings import Settings
from twofold.testing import Clock


class Crashed(BaseException):
    """The process is gone."""


class Fate:
    """Counts the calls to the outside; the `at`th crashes, before it is done or after."""

    def __init__(self, at=None, *, after=False):
        self.at, self.after, self.calls, self.dead = at, after, 0, False

    async def __call__(self, work):
        self.calls += 1
        due = self.calls == self.at
        self.dead = self.dead or (due and not self.after)
        if self.dead:
            raise Crashed
        result = await work()
        self.dead = self.dead or due
        if self.dead:
            raise Crashed
        return result


class MortalDatabase(Database):
    """The file under store, feed and queue: each of its transactions meets the process's fate."""

    def __init__(self, path, fate):
        super().__init__(path)
        self._fate = fate

    async def run(self, work):
        transact = super().run
        return await self._fate(lambda: transact(work))


class Provider:
    """Takes a payment once per idempotency key, and remembers each."""

    def __init__(self):
        self.captured = {}

    def charge(self, request):
        key = request.headers["Idempotency-Key"]
        self.captured.setdefault(key, f"ref-{len(self.captured)}")
        assert json.loads(request.content)["amount"] == 2500
        return httpx.Response(200, json={"status": "captured", "reference": self.captured[key]})


class World:
    """What outlives a process: the file, the clock, the provider."""

    def __init__(self, folder):
        self.folder, self.clock, self.provider = folder, Clock(1_800_000_000.0), Provider()

    def process(self, fate):
        settings = Settings.load({"TWOFOLD_APP_PAYMENT_URL": "http://provider.test"}, SERVICE, self.folder)
        database = MortalDatabase(self.folder / "store.db", fate)
        services = bootstrap(
            settings,
            SERVICE,
            document_driver=document_store.SQLiteDriver(database),
            queue_driver=message_queue.SQLiteQueueDriver(database, clock=self.clock),
            secret_driver=secret_store.open(f"file:///{self.folder}/secrets"),
        )
        services.documents.clock = self.clock

        async def charge(request):
            async def work():
                return self.provider.charge(request)

            return await fate(work)

        transport = httpx.MockTransport(charge)
        services._outbound["payments"] = Outbound("payments", "http://provider.test", transport=transport)
        return Runtime(SERVICE, root=self.folder, services=services)


async def script(world, runtime):
    """What a client does, with its keys: the same again after a crash."""
    transport = httpx.ASGITransport(runtime.asgi)
    loops = Loops(runtime)
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=bearer()) as client:
        placed = await client.post("/orders", json=ORDER, headers={"Idempotency-Key": "place"})
        assert placed.status_code == 201, placed.text
        order = placed.headers["location"]
        paid = await client.post(f"{order}/payment", json={}, headers={"Idempotency-Key": "pay"})
        assert paid.status_code == 202, paid.text
        for _ in range(10):
            await loops.drain()
            world.clock.advance(20)
        shipped = await client.post(f"{order}/shipment", json={}, headers={"Idempotency-Key": "ship"})
        assert shipped.status_code == 200, shipped.text
        await loops.drain()
        events = (await client.get(f"{order}/events")).json()["events"]
        listed = (await client.get("/customers/c-1/orders")).json()["orders"]
    model = await runtime.services.read_models.live("orders")
    buckets = [await model.query(f"unpaid:{bucket}") for bucket in range(BUCKETS)]
    return {
        "events": [event["type"] for event in events],
        "rows": [(row["status"], row["total"]) for row in listed],
        "unpaid": sum(len(page.documents) for page in buckets),
        "waiting": await runtime.services.queue.driver.depth("payments"),
        "captured": len(world.provider.captured),
    }


EXPECTED = {
    "events": ["OrderPlaced", "PaymentRequested", "OrderPaid", "OrderShipped"],
    "rows": [("shipped", 2500)],
    "unpaid": 0,
    "waiting": 0,
    "captured": 1,
}


async def life(folder, fate):
    """A run that meets its fate, if it does, and the run after it."""
    world = World(folder)
    first = world.process(fate)
    with contextlib.suppress(Crashed, BaseExceptionGroup):
        result = await script(world, first)
        if not fate.dead:
            return result
    world.clock.advance(61)  # locks of the dead run out
    second = world.process(Fate())
    try:
        return await script(world, second)
    finally:
        await second.stop()


async def test_without_a_crash(tmp_path):
    fate = Fate()
    assert await life(tmp_path, fate) == EXPECTED
    assert fate.calls > 40


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_a_crash_at_each_call_changes_nothing_in_the_end(tmp_path, after):
    at, crashed = 0, True
    while crashed:
        at += 1
        folder = tmp_path / str(at)
        folder.mkdir()
        fate = Fate(at, after=after)
        assert await life(folder, fate) == EXPECTED, f"after a crash at call {at}"
        crashed = fate.dead
    assert at > 40
