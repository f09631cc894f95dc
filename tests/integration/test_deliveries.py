"""Duplicate, reordered, lost and poison deliveries in random mixes: in the end the read model equals the fold of the events."""

import asyncio
import tempfile
from contextlib import suppress
from pathlib import Path

from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from api.manifest import SERVICE
from api.orders import handlers, views
from api.orders.commands import Line, PlaceOrder
from api.orders.model import NotAllowed
from tests.depth import examples
from twofold.bootstrap import bootstrap
from twofold.local.feed import LocalFeed
from twofold.portable.feed import Consumer, Feed
from twofold.settings import Settings

COMMANDS = {"request": "request_payment", "ship": "ship", "cancel": "cancel"}


class Deliveries(RuleBasedStateMachine):
    """Orders change; their commits are delivered in any way; the projector fails for as long as it is told to."""

    def __init__(self):
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory()
        folder = Path(self.folder.name)
        environ = {f"TWOFOLD_{block}_URL": f"sqlite:///{folder}/store.db" for block in ("STORE", "QUEUE")}
        self.services = bootstrap(Settings.load(environ, SERVICE, folder), SERVICE)
        self.model = self.services.read_models.generation("orders", 0)
        self.feed = Feed(self.services.events, [Consumer(self.model.name, self.project, 2)], retry_pause=0)
        self.orders, self.poison = [], 0

    def run_async(self, work):
        return self.loop.run_until_complete(work)

    async def project(self, commit):
        if self.poison:
            self.poison -= 1
            raise RuntimeError("poison")
        await views.project(self.services, self.model, commit)

    async def commits(self):
        changes = await LocalFeed.of(self.services.documents.driver).changes(0, 1000)
        return [document for _, document in changes]

    @rule(customer=st.sampled_from(["c-1", "c-2"]))
    def place(self, customer):
        order_id = f"o-{len(self.orders)}"
        lines = [Line(sku="A", quantity=1, unit_price=len(self.orders))]
        command = PlaceOrder(customer_id=customer, currency="EUR", lines=lines)
        self.run_async(handlers.place_order(self.services, order_id, command))
        self.orders.append(order_id)

    @rule(data=st.data(), command=st.sampled_from(sorted(COMMANDS)))
    def change(self, data, command):
        if self.orders:
            order = data.draw(st.sampled_from(self.orders))
            with suppress(NotAllowed):
                self.run_async(handlers.change(self.services, order, lambda order: getattr(order, COMMANDS[command])()))

    @rule(data=st.data())
    def deliver(self, data):
        commits = self.run_async(self.commits())
        if commits:
            batch = data.draw(st.lists(st.sampled_from(commits), max_size=8))
            self.run_async(self.feed.process(batch))

    @rule(times=st.integers(1, 4))
    def poisoned(self, times):
        self.poison = times

    @invariant()
    def the_read_model_never_runs_ahead(self):
        for order, row in self.run_async(self.rows()).items():
            assert row["version"] <= self.run_async(handlers.load(self.services, order)).version

    async def rows(self):
        rows = {}
        for customer in ("c-1", "c-2"):
            async for document in self.model.query_all(f"customer:{customer}"):
                assert document.body["id"] not in rows
                rows[document.body["id"]] = document.body
        return rows

    def teardown(self):
        try:
            self.run_async(self.settle())
        finally:
            self.run_async(self.services.close())
            self.loop.close()
            self.folder.cleanup()

    async def settle(self):
        self.poison = 0
        for parked in await self.feed.parked(self.model.name):
            assert await self.feed.redrive(self.model.name, parked.stream)
        await self.feed.process(await self.commits())
        rows = await self.rows()
        assert set(rows) == set(self.orders)
        for order_id in self.orders:
            order = await handlers.load(self.services, order_id)
            row = rows[order_id]
            assert (row["status"], row["total"], row["version"]) == (order.status, order.total, order.version)


TestDeliveries = Deliveries.TestCase
TestDeliveries.settings = hypothesis_settings(max_examples=examples(10, 200), stateful_step_count=25)
