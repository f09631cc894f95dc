"""`function_app.py`, run by the library of the Functions worker, on the Cosmos and Key Vault fakes with a managed identity."""

import json
import math
import os
import subprocess
import sys

import httpx
import pytest

from tests.copies.copy import ROOT
from tests.integration.tokens import bearer
from tests.integration.walk import ORDER, eventually, walk
from twofold.emulators.process import free_port, serving
from twofold.portable.message import Message

HOST = ROOT / "twofold/emulators/functions_host.py"


def functions_host(folder, environ):
    port = free_port()
    return serving([sys.executable, str(HOST), str(folder), str(port)], port, environ)


class ChangeFeed:
    """The events container's change feed from now on, as the trigger's host reads it: the last version of what is new."""

    def __init__(self, fake):
        self._container, self._after = fake.containers["shop", "events"], 0
        self.batch()  # what was there before

    def batch(self):
        changes = self._container.changes(self._after)
        self._after = changes[-1][0] if changes else self._after
        return [item for _, item in changes]


@pytest.fixture(scope="module")
def client(place):
    with functions_host(ROOT, place.environ) as url, httpx.Client(base_url=url, headers=bearer(), timeout=60) as client:
        yield client


def trigger(client, name, data):
    return client.post(f"/admin/functions/{name}", json={"input": json.dumps(data)})


def work_off(client, queues):
    """Does what the queue trigger's host does: each message to the function, and deletes it when that returned."""
    queue, done = queues["payments"], 0
    for message in queue.receive_messages(visibility_timeout=60):
        answer = client.post("/admin/functions/queue_payments", json={"input": message.content})
        assert answer.status_code == 200, answer.text
        queue.delete_message(message)
        done += 1
    return done


def test_the_walk(client, cosmos, queues, topic):
    feed = ChangeFeed(cosmos)

    def settle():
        if batch := feed.batch():
            assert trigger(client, "feed", batch).status_code == 200
        work_off(client, queues)

    walk(client, settle)
    settle()
    assert {event["type"] for event in topic.events} == {"orders.placed", "orders.paid", "orders.shipped"}
    assert all(event["source"] == "/orders" and event["specversion"] == "1.0" for event in topic.events)


def test_a_batch_delivered_twice_and_out_of_order_changes_nothing(client, cosmos, queues):
    feed = ChangeFeed(cosmos)
    orders = [client.post("/orders", json=ORDER).headers["location"] for _ in range(3)]
    for order in orders:
        client.post(f"{order}/payment", json={})
    batch = feed.batch()
    assert len(batch) == 6
    for delivered in (batch[::-1], batch, batch[3:]):
        assert trigger(client, "feed", delivered).status_code == 200
    while work_off(client, queues):
        pass
    for order in orders:
        assert [e["type"] for e in client.get(f"{order}/events").json()["events"]].count("OrderPaid") == 1


def test_the_triggers_are_those_of_the_manifest(client):
    functions = client.get("/admin/functions").json()
    assert set(functions) == {"http", "feed", "queue_payments", "expire_unpaid"}
    assert functions["http"]["authLevel"] == "ANONYMOUS" and functions["http"]["route"] == "{*path}"
    assert functions["feed"]["databaseName"] == "shop" and functions["feed"]["leaseContainerName"] == "leases"
    assert functions["feed"]["startFromBeginning"] is True
    assert functions["queue_payments"]["connection"] == "QUEUES"
    assert trigger(client, "expire_unpaid", {"IsPastDue": False}).status_code == 200


@pytest.mark.parametrize("role", ["http", "feed", "worker", "schedule"])
def test_a_role_selects_its_trigger(environ, role):
    names = {"http": {"http"}, "feed": {"feed"}, "worker": {"queue_payments"}, "schedule": {"expire_unpaid"}}
    with functions_host(ROOT, environ | {"TWOFOLD_ROLE": role}) as url:
        assert set(httpx.get(f"{url}/admin/functions").json()) == names[role]


def test_a_message_that_fails_again_and_again_is_dead_lettered(environ, queues):
    with (
        functions_host(ROOT, environ | {"TWOFOLD_APP_PAYMENT_URL": "http://127.0.0.1:9"}) as url,
        httpx.Client(base_url=url, headers=bearer(), timeout=60) as client,
    ):
        order = client.post("/orders", json=ORDER).headers["location"]
        client.post(f"{order}/payment", json={})
        text = Message("orders.pay", {"order": order.rsplit("/", 1)[1], "request": 1}, id="m", attempt=12).encode("/o")
        assert client.post("/admin/functions/queue_payments", json={"input": text}).status_code == 200
        assert client.get(order).json()["status"] == "payment_pending"
    [dead] = queues["payments-poison"].receive_messages()
    letter = Message.decode(dead.content)
    assert (letter.id, letter.attempt) == ("m", 12) and "PaymentUnavailable" in letter.failure


def test_a_store_that_is_down_fails_the_invocation_so_that_the_host_repeats_it(client, cosmos):
    feed = ChangeFeed(cosmos)
    client.post("/orders", json=ORDER)
    batch = feed.batch()
    cosmos.inject(math.inf)
    try:
        answer = trigger(client, "feed", batch)
        assert answer.status_code == 500 and "StoreUnavailable" in answer.text
        assert client.get("/health/ready").status_code == 503
        assert client.post("/orders", json=ORDER).json()["type"] == "urn:twofold:problem:unavailable"
    finally:
        cosmos.clear()


def test_wrong_settings_are_listed_and_end_the_process():
    wrong = {"TWOFOLD_ROLE": "boss", "TWOFOLD_STORE_URL": "mongo://x"}
    done = subprocess.run(
        [sys.executable, str(HOST), str(ROOT), "0"], env=os.environ | wrong, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "TWOFOLD_ROLE" in done.stderr and "TWOFOLD_STORE_URL" in done.stderr


def test_the_example_settings_are_all_of_them_and_serve_the_embedded_default(tmp_path):
    for name in ("api", "function_app.py", "host.json"):
        (tmp_path / name).symlink_to(ROOT / name)
    values = json.loads((ROOT / "local.settings.json.example").read_text())["Values"]
    with (
        functions_host(tmp_path, values) as url,
        httpx.Client(base_url=url, headers=bearer(tmp_path), timeout=60) as client,
    ):
        assert set(client.get("/admin/functions").json()) == {"http"}
        order = client.post("/orders", json=ORDER).headers["location"]
        client.post(f"{order}/payment", json={})
        eventually(lambda: client.get(order).json()["status"] == "paid", lambda: None)
    assert (tmp_path / ".data/twofold.db").exists()
