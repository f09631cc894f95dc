"""The process dies before or after each kind of call of an order's story, on each home, and starts again: the end is the same.

In a deep run at each single call.

What a crash is and where it strikes, `crashing.py` tells. The next process does the same again, with the same keys, once the dead
one's locks and leases have run out; feed and queue deliver again what was not worked off. In the end there is one order, charged
once, right in the read model, told of; its key gets the first answer, and nothing waits, is dead or parked.
`tests/integration/local` kills real processes.
"""

import contextlib
import itertools
import json
import uuid
from dataclasses import replace
from urllib.parse import urlsplit

import boto3
import httpx
import pytest

from api.manifest import SERVICE
from api.orders.handlers import PAY_WITHIN_SECONDS
from api.orders.views import due_orders
from tests.copies.copy import ROOT
from tests.emulators.fixtures import DUMMY, REGION, create_tables, storage_queues
from tests.fakes.credential import StaticCredential
from tests.integration.crashing import Crashed, CrashingDriver, CrashPoint, Home
from tests.integration.tokens import bearer
from tests.integration.walk import ORDER
from twofold.aws import document_store
from twofold.aws import message_queue as sqs
from twofold.aws.feed import document_of
from twofold.azure import document_store as cosmos
from twofold.azure import message_queue as storage
from twofold.azure.feed import documents_of
from twofold.bootstrap import bootstrap
from twofold.cli import dead_letters
from twofold.emulators.cosmos import CosmosFake
from twofold.emulators.dynamodb_stream import DynamoDBStream
from twofold.emulators.managed_identity import storage_token
from twofold.local import secret_store
from twofold.local.database import Database
from twofold.local.document_store import SQLiteDriver
from twofold.local.feed import LocalFeed
from twofold.local.message_queue import SQLiteQueueDriver
from twofold.portable.feed import Feed
from twofold.portable.message_queue import dead_letter_name
from twofold.portable.resilience import Outbound
from twofold.runtime import SCHEDULE_SECONDS, Runtime
from twofold.settings import Settings

QUEUES = ("payments", dead_letter_name("payments"))
LOCK_SECONDS = 60  # of a request's key, and of a message in hand
MANIFEST = replace(
    SERVICE,
    queues=tuple(replace(spec, max_attempts=2) for spec in SERVICE.queues),
    consumers=tuple(replace(spec, max_attempts=1) for spec in SERVICE.consumers),
)
DOCUMENT = Runtime(SERVICE, root=ROOT, environ={}).build_app().openapi()


@pytest.fixture
async def local(tmp_path):
    database, seen = Database(tmp_path / "store.db"), 0
    documents, queue = SQLiteDriver(database), SQLiteQueueDriver(database)
    feed = LocalFeed(database)

    async def changes():
        nonlocal seen
        newer = await feed.changes(seen, 1000)
        seen = newer[-1][0] if newer else seen
        return [document for _, document in newer]

    yield Home(documents, queue, changes)
    await database.close()


@pytest.fixture
async def azure(azurite):
    service, prefix, parts = storage_queues(azurite), f"t{uuid.uuid4().hex[:8]}", urlsplit(azurite)
    clients = [service.create_queue(f"{prefix}-{name}") for name in QUEUES]
    queue = storage.from_url(f"storagequeue://{parts.netloc}{parts.path}/{prefix}", StaticCredential(storage_token()))
    with CosmosFake() as fake:
        documents, seen = cosmos.from_url(fake.create("t", "events", "documents"), StaticCredential()), 0

        async def changes():
            nonlocal seen
            newer = fake.containers["t", "events"].changes(seen)
            seen = newer[-1][0] if newer else seen
            return documents_of(item for _, item in newer)

        yield Home(documents, queue, changes, fake)
        await documents.close()
    await queue.close()
    for one in clients:
        one.delete_queue()


@pytest.fixture
async def aws(dynamodb, ministack):
    prefix = f"t{uuid.uuid4().hex[:8]}"
    create_tables(dynamodb, prefix)
    queues = boto3.client("sqs", region_name=REGION, endpoint_url=ministack, **DUMMY)
    urls = [queues.create_queue(QueueName=f"{prefix}-{name}")["QueueUrl"] for name in QUEUES]
    documents = document_store.from_url(f"dynamodb://{REGION}/{prefix}?endpoint={dynamodb}")
    queue = sqs.from_url(f"sqs://{REGION}/{prefix}?endpoint={ministack}")
    stream = DynamoDBStream(dynamodb, f"{prefix}-events")

    async def changes():
        return [document for record in stream.batch()["Records"] if (document := document_of(record)) is not None]

    yield Home(documents, queue, changes)
    await documents.close()
    await queue.close()
    for url in urls:
        queues.delete_queue(QueueUrl=url)


@pytest.fixture(params=["local", "azure", "aws"])
def home(request):
    return request.getfixturevalue(request.param)


class Outside:
    """Who takes payments, each once per idempotency key, and who is told of events; `down` is the one that is not well."""

    system = "outside"

    def __init__(self):
        self.down, self.refused, self.captured, self.told = None, 0, {}, set()

    def charge(self, request):
        if self.down == "payments":
            self.refused += 1
            return httpx.Response(400)
        key = request.headers["Idempotency-Key"]
        self.captured.setdefault(key, f"ref-{len(self.captured)}")
        assert json.loads(request.content)["amount"] == 2500
        return httpx.Response(200, json={"status": "captured", "reference": self.captured[key]})

    async def publish(self, envelopes):
        if self.down == "order-events":
            self.refused += 1
            raise ValueError("it takes no such event")  # one that is down is waited for
        self.told |= {json.loads(envelope)["type"] for envelope in envelopes}


class Service(Runtime):
    """The service, its OpenAPI document made once for all processes: that takes longer than all the rest."""

    def build_app(self):
        app = super().build_app()
        app.openapi_schema = DOCUMENT
        return app


class Process:
    """The service, begun anew, and a client of it. `life` gives the customer and the keys: both processes have the same."""

    def __init__(self, home, folder, outside, crash_point, life):
        self.home, self.outside, self.crash_point, self.customer = home, outside, crash_point, f"c-{life}"
        settings = Settings.load({"TWOFOLD_APP_PAYMENT_URL": "http://provider.test"}, MANIFEST, folder)
        secrets = secret_store.from_url(f"file:///{folder}/secrets")
        self.services = bootstrap(
            settings,
            MANIFEST,
            secret_driver=secrets,
            publisher_driver=CrashingDriver(outside, crash_point),
            **home.drivers(crash_point),
        )
        self.services.documents.clock = home.clock

        async def charge(request):
            async def work():
                return outside.charge(request)

            return await crash_point(work, "charge")

        transport = httpx.MockTransport(charge)
        self.services._outbound["payments"] = Outbound("payments", "http://provider.test", transport=transport)
        self.runtime = Service(MANIFEST, root=folder, services=self.services)
        transport = httpx.ASGITransport(self.runtime.asgi)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://test", headers=bearer())

    async def post(self, path, body, status):
        """A command under the key that it has in every process."""
        answer = await self.client.post(path, json=body, headers={"Idempotency-Key": self.customer})
        assert answer.status_code == status, answer.text
        return answer

    async def place(self):
        return (await self.post("/orders", ORDER | {"customer_id": self.customer}, 201)).headers["location"]

    async def settle(self):
        """Feed and queue deliver until nothing is left."""
        for _ in range(10):
            left = await self.home.deliver(self.runtime)
            self.home.advance(20)
            if not left:
                return
        raise AssertionError("there is always something left")

    async def redrive(self, source):
        """As `twofold dlq redrive` does it."""
        await dead_letters.act(self.services, source, "redrive", only=None, limit=10, rate=1000)

    async def look(self, order):
        """What there is of an order, in the end."""
        order_id = order.rpartition("/")[2]
        events = (await self.client.get(f"{order}/events")).json()["events"]
        listed = (await self.client.get(f"/customers/{self.customer}/orders")).json()["orders"]
        placed = await self.post("/orders", ORDER | {"customer_id": self.customer}, 201)
        return {
            "events": [event["type"] for event in events],
            "rows": [(row["id"] == order_id, row["status"], row["total"]) for row in listed],
            "unpaid": [due async for due in due_orders(self.services, 10**11) if due == order_id],
            "left": [await self.services.queue.driver.depth(queue) for queue in QUEUES],
            "captured": sum(key.startswith(order_id) for key in self.outside.captured),
            "refused": self.outside.refused > 0,
            "told": self.outside.told,
            "parked": await Feed(self.services.events, []).parked("order-events"),
            "replayed": (placed.headers["location"] == order, placed.headers.get("idempotency-replayed")),
        }

    async def stop(self):
        await self.client.aclose()
        await self.runtime.stop()


async def paid_after_all(process):
    """Placed, charged in vain until the message is dead, redriven and paid."""
    process.outside.down = "payments"
    order = await process.place()
    await process.post(f"{order}/payment", {}, 202)
    await process.settle()
    process.outside.down = None
    await process.redrive("payments")
    await process.settle()
    return order


async def never_paid(process):
    """Placed, and expired by the schedule; told of in vain until the stream is parked, and redriven."""
    process.outside.down = "order-events"
    order = await process.place()
    await process.settle()
    process.home.advance(PAY_WITHIN_SECONDS)
    await process.runtime.run_schedule("expire-unpaid")
    await process.settle()
    process.outside.down = None
    await process.redrive("order-events")
    return order


def end(events, status, published, *, captured):
    """What `look` finds of an order with these events."""
    return {
        "events": events, "rows": [(True, status, 2500)], "unpaid": [], "left": [0, 0], "parked": [], "told": published,
        "captured": captured, "refused": True, "replayed": (True, "true"),
    }  # fmt: skip


STORIES = {
    paid_after_all: (
        LOCK_SECONDS,
        end(["OrderPlaced", "PaymentRequested", "OrderPaid"], "paid", {"orders.placed", "orders.paid"}, captured=1),
    ),
    never_paid: (
        SCHEDULE_SECONDS,
        end(["OrderPlaced", "OrderExpired"], "expired", {"orders.placed", "orders.expired"}, captured=0),
    ),
}
"""The stories, how long a dead process locks others out, and the end."""


async def live(story, home, folder, crash_point, life):
    """A story by a process that meets its crash_point, if it does, and by the one after it; what `look` finds then."""
    outside = Outside()
    process = Process(home, folder, outside, crash_point, life)
    with contextlib.suppress(Crashed, BaseExceptionGroup):
        order = await story(process)
    if crash_point.dead:
        await process.stop()
        home.advance(STORIES[story][0] + 1)
        await home.bury()
        process = Process(home, folder, outside, CrashPoint(), life)
        order = await story(process)
    process.crash_point.at = None
    outcome = await process.look(order)
    await process.stop()
    return outcome


class Lives:
    """Of one story in one home: first a whole one, which tells the calls there are, then those that end at one of them."""

    def __init__(self, story, home, folder):
        self.story, self.home, self.folder, self.numbers, self.whole = (
            story,
            home,
            folder,
            itertools.count(),
            CrashPoint(),
        )

    async def unharmed(self):
        await self._end(self.whole, "without a crash")
        return self.whole

    async def crash(self, at):
        """Before and after a call; False when there was no such call any more."""
        for after in (False, True) if at in self.whole.abreast else (True,):
            crash_point = CrashPoint(at, after=after)
            await self._end(crash_point, f"after a crash {'after' if after else 'before'} call {at}")
        return crash_point.dead

    async def _end(self, crash_point, moment):
        _, expected = STORIES[self.story]
        assert await live(self.story, self.home, self.folder, crash_point, next(self.numbers)) == expected, moment


@pytest.fixture(params=STORIES, ids=lambda story: story.__name__)
def story(request):
    return request.param


@pytest.fixture
def lives(home, story, tmp_path):
    return Lives(story, home, tmp_path)


async def test_a_crash_at_each_kind_of_call_changes_nothing_in_the_end(lives):
    whole = await lives.unharmed()
    for at in whole.first.values():
        assert await lives.crash(at)
    assert len(whole.first) >= 8


@pytest.mark.deep
async def test_a_crash_at_each_call_changes_nothing_in_the_end(lives):
    await lives.unharmed()
    at = 1
    while await lives.crash(at):
        at += 1
    assert at > 20
