"""Flex Consumption ends running executions when an app is updated: their message or batch comes again, and ends once.

A real process is killed while it waits for an answer from outside, before or after the other side acted. The test does what
the host does: a message that no execution finished turns visible again, a batch whose execution did not end comes again.
"""

import contextlib
import json
import os
import subprocess
import sys
import threading

import httpx
import pytest

from tests.copies.copy import Copy
from tests.integration.azure.conftest import surroundings
from tests.integration.azure.test_functions_door import HOST, ChangeFeed, work_off
from tests.integration.tokens import bearer
from tests.integration.walk import ORDER, eventually
from twofold.emulators.process import free_port
from twofold.emulators.server import Answer, FakeServer

VISIBLE_AGAIN = 2
"""Seconds: of a message, and of the record that one execution at a time works on it."""


class Provider(FakeServer):
    """Takes a payment once per idempotency key, and remembers each."""

    def __init__(self):
        super().__init__(tls=False)
        self.captured = {}

    def serve(self, method, path, query, headers, body):
        reference = self.captured.setdefault(headers["Idempotency-Key"], f"ref-{len(self.captured)}")
        return Answer(200, {"status": "captured", "reference": reference})


class Moment:
    """A request to a fake at which the process is killed: it is held until then, and never answered."""

    def __init__(self, fake, at, *, after):
        self.reached, self.killed, self._left = threading.Event(), threading.Event(), at
        fake.inject(1, None, when=self._due, after=after)

    def _due(self, method, path, headers):
        self._left -= 1
        if self._left:
            return False
        self.reached.set()
        assert self.killed.wait(60)
        return True


class Instance:
    """One instance of the app: a Functions host in a process of its own."""

    def __init__(self, folder, environ):
        port = free_port()
        self._process = subprocess.Popen(
            [sys.executable, str(HOST), str(folder), str(port)], env=os.environ | environ, stdout=subprocess.DEVNULL
        )
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=bearer(folder))
        eventually(self._up, lambda: self._process.poll() and pytest.fail("it ended"))

    def _up(self):
        try:
            return self.client.get("/admin/functions").status_code == 200
        except httpx.TransportError:
            return False

    def kill(self):
        self._process.kill()
        self._process.wait()
        self.client.close()

    def invoke(self, name, payload):
        return self.client.post(f"/admin/functions/{name}", json={"input": payload})

    def interrupt(self, moment, name, payload):
        """Begins the execution and kills the process at that moment."""

        def run():
            with contextlib.suppress(httpx.TransportError):
                self.invoke(name, payload)

        execution = threading.Thread(target=run)
        execution.start()
        assert moment.reached.wait(60), "the moment never came"
        self.kill()
        moment.killed.set()
        execution.join()


@pytest.fixture
def folder(tmp_path):
    """The service, whose executions are given up for dead as soon as their message is visible again."""
    copy = Copy(tmp_path / "service")
    copy.replace("api/manifest.py", "once=True", f"once=True, visibility_seconds={VISIBLE_AGAIN}")
    return copy.folder


@pytest.fixture
def place(azurite):
    """A test's own: it counts requests."""
    with surroundings(azurite) as place:
        yield place


@pytest.fixture
def provider():
    with Provider() as provider:
        yield provider


@pytest.fixture
def start(folder, environ, provider):
    """Starts an instance; the last one ends with the test."""
    started = []

    def start():
        started.append(Instance(folder, environ | {"TWOFOLD_APP_PAYMENT_URL": f"http://{provider.host}"}))
        return started[-1]

    yield start
    for instance in started:
        instance.kill()


def history(instance, order):
    return [event["type"] for event in instance.client.get(f"{order}/events").json()["events"]]


PAID = ["OrderPlaced", "PaymentRequested", "OrderPaid"]


@pytest.mark.parametrize(
    ("where", "at", "after"),
    [("provider", 1, False), ("provider", 1, True), ("cosmos", 1, True), ("cosmos", 4, True)],
)
def test_a_message_whose_execution_was_ended_is_worked_off_once(where, at, after, start, cosmos, provider, queues):
    instance, feed = start(), ChangeFeed(cosmos)
    order = instance.client.post("/orders", json=ORDER).headers["location"]
    assert instance.client.post(f"{order}/payment", json={}).status_code == 202
    assert instance.invoke("feed", json.dumps(feed.batch())).status_code == 200
    message = queues["payments"].receive_message(visibility_timeout=VISIBLE_AGAIN)
    moment = Moment({"provider": provider, "cosmos": cosmos}[where], at, after=after)
    instance.interrupt(moment, "queue_payments", message.content)
    updated = start()
    assert history(updated, order)[: len(PAID) - 1] == PAID[:-1]
    eventually(lambda: history(updated, order) == PAID, lambda: work_off(updated.client, queues))
    assert len(provider.captured) == 1
    eventually(lambda: not queues["payments"].peek_messages(), lambda: work_off(updated.client, queues))
    assert history(updated, order) == PAID and not queues["payments-poison"].peek_messages()


@pytest.mark.parametrize(("where", "at", "after"), [("topic", 1, False), ("topic", 1, True), ("cosmos", 6, True)])
def test_a_batch_whose_execution_was_ended_is_brought_to_every_consumer(where, at, after, start, cosmos, topic, queues):
    instance, feed = start(), ChangeFeed(cosmos)
    orders = [instance.client.post("/orders", json=ORDER).headers["location"] for _ in range(2)]
    instance.client.post(f"{orders[0]}/payment", json={})
    batch = json.dumps(feed.batch())
    instance.interrupt(Moment({"topic": topic, "cosmos": cosmos}[where], at, after=after), "feed", batch)
    updated = start()
    assert updated.invoke("feed", batch).status_code == 200
    listed = updated.client.get("/customers/c-1/orders").json()["orders"]
    assert {row["id"] for row in listed} == {order.rsplit("/", 1)[1] for order in orders} and len(listed) == 2
    # At least once, under the same id: a receiver knows a repetition.
    assert len({event["id"] for event in topic.events}) == 2
    eventually(lambda: history(updated, orders[0]) == PAID, lambda: work_off(updated.client, queues))
    assert history(updated, orders[1]) == PAID[:1]
