"""Many concurrent commands on 10 orders, over HTTP, on every backend: each is done once, refused, or told to be stale."""

import asyncio
import collections
import random
import uuid

import httpx
import pytest

from api.manifest import SERVICE
from tests.depth import examples
from tests.emulators.fixtures import REGION, create_tables
from tests.fakes.credential import StaticCredential
from tests.integration.doors import UNLIMITED
from tests.integration.tokens import bearer
from tests.integration.walk import ORDER
from twofold.aws import document_store as aws
from twofold.azure import document_store as azure
from twofold.bootstrap import bootstrap
from twofold.emulators.cosmos import CosmosFake
from twofold.local import document_store as local
from twofold.runtime import Runtime
from twofold.settings import Settings

ORDERS, COMMANDS = 10, examples(200, 1000)
DONE = {"payment": 202, "shipment": 200, "cancellation": 200}


@pytest.fixture(params=["sqlite", "dynamodb", "cosmos"])
def driver(request, tmp_path):
    if request.param == "sqlite":
        yield local.from_url(f"sqlite:///{tmp_path}/store.db")
    elif request.param == "dynamodb":
        endpoint, prefix = request.getfixturevalue("dynamodb"), f"load-{uuid.uuid4().hex[:8]}"
        create_tables(endpoint, prefix)
        yield aws.from_url(f"dynamodb://{REGION}/{prefix}?endpoint={endpoint}")
    else:
        with CosmosFake() as fake:
            yield azure.from_url(fake.create("shop", "events", "documents"), StaticCredential())


@pytest.fixture
async def client(driver, tmp_path):
    environ = {"TWOFOLD_QUEUE_URL": f"sqlite:///{tmp_path}/queues.db", **UNLIMITED}
    settings = Settings.load(environ, SERVICE, tmp_path)
    runtime = Runtime(SERVICE, root=tmp_path, services=bootstrap(settings, SERVICE, document_driver=driver))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(runtime.asgi), base_url="http://test", headers=bearer(), timeout=60
    ) as client:
        yield client
    await runtime.stop()


async def test_no_command_is_lost_or_done_twice(client):
    orders = [(await client.post("/orders", json=ORDER)).headers["location"] for _ in range(ORDERS)]
    gate, chance = asyncio.Semaphore(50), random.Random(1)
    answers = collections.defaultdict(collections.Counter)

    async def command(order, kind, version):
        async with gate:
            headers = {"If-Match": f'"{version}"'} if version else {}
            answer = await client.post(f"{order}/{kind}", json={}, headers=headers)
            answers[order][kind, answer.status_code] += 1

    commands = [(orders[n % ORDERS], chance.choice(list(DONE)), chance.choice([None, 1, 2])) for n in range(COMMANDS)]
    await asyncio.gather(*(command(*one) for one in commands))
    assert sum(sum(counter.values()) for counter in answers.values()) == COMMANDS
    for order in orders:
        statuses = {status for _, status in answers[order]}
        assert statuses <= {200, 202, 409, 412}, answers[order]
        events = (await client.get(f"{order}/events")).json()["events"]
        kinds = [event["type"] for event in events]
        assert [event["number"] for event in events] == list(range(len(events)))
        # Nothing pays here, so an order ends as cancelled or with its payment requested; a success is exactly one event.
        assert kinds in (["OrderPlaced", "OrderCancelled"], ["OrderPlaced", "PaymentRequested"]), kinds
        assert answers[order]["cancellation", 200] == kinds.count("OrderCancelled")
        assert (answers[order]["payment", 202] > 0) == ("PaymentRequested" in kinds)
        assert answers[order]["shipment", 200] == 0
        assert (await client.get(order)).headers["etag"] == '"2"'
