"""`twofold dlq` as an operator uses it: on the embedded store, and on a stack whose outputs Pulumi tells."""

import asyncio
import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import pytest

from api.manifest import SERVICE
from tests.copies.copy import ROOT
from tests.emulators.fixtures import DUMMY, REGION, storage_queues
from tests.fakes.credential import StaticCredential
from twofold.azure import message_queue as storage
from twofold.bootstrap import bootstrap
from twofold.cli import dead_letters
from twofold.emulators.managed_identity import storage_token
from twofold.portable.event_store import Event
from twofold.portable.feed import Consumer, Feed
from twofold.portable.message import Message
from twofold.portable.message_queue import dead_letter_name
from twofold.settings import Settings


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "api").symlink_to(ROOT / "api")
    return tmp_path


def dlq(folder, *arguments, code=0, **environ):
    command = [Path(sys.executable).with_name("twofold"), "dlq", *arguments]
    done = subprocess.run(
        command, cwd=folder, env=os.environ | {"COLUMNS": "160"} | environ, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == code and "Traceback" not in done.stderr, done.stdout + done.stderr
    return done.stderr if code else done.stdout


def on_services(environ, folder, work):
    async def run():
        services = bootstrap(Settings.load(environ, SERVICE, folder), SERVICE)
        try:
            return await work(services)
        finally:
            await services.close()

    return asyncio.run(run())


def embedded(folder):
    return {f"TWOFOLD_{block}_URL": f"sqlite:///{folder}/.data/twofold.db" for block in ("STORE", "QUEUE")}


async def bury(services, count=3):
    for n in range(count):
        letter = Message("orders.pay", {"order": f"o-{n}"}, id=f"m-{n}", attempt=12, failure="PaymentUnavailable: down")
        await services.queue.driver.send(dead_letter_name("payments"), letter.encode("/orders"), delay=0)


async def depths(services):
    driver = services.queue.driver
    return await driver.depth("payments"), await driver.depth(dead_letter_name("payments"))


def test_they_are_listed_shown_redriven_and_purged(folder):
    on_services(embedded(folder), folder, bury)
    output = dlq(folder, "list", "payments")
    assert "3 dead" in output and "m-1" in output and "PaymentUnavailable: down" in output
    shown = json.loads(dlq(folder, "show", "payments", "m-2"))
    assert shown["data"] == {"order": "o-2"} and "traceparent" in shown
    assert "has no dead letter 'm-9'" in dlq(folder, "show", "payments", "m-9", code=2)
    dlq(folder, "redrive", "payments", "--dry-run")
    assert on_services(embedded(folder), folder, depths) == (0, 3)
    assert "1 redriven" in dlq(folder, "redrive", "payments", "--id", "m-1")
    assert on_services(embedded(folder), folder, depths) == (1, 2)
    dlq(folder, "purge", "payments", code=1)  # nobody said yes
    assert on_services(embedded(folder), folder, depths) == (1, 2)
    assert "2 deleted" in dlq(folder, "purge", "payments", "--yes")
    assert on_services(embedded(folder), folder, depths) == (1, 0)


def test_a_program_is_told_the_same(folder):
    def parsed(*arguments):
        value = json.loads(dlq(folder, *arguments, "--json"))
        return sorted(value, key=lambda one: one["id"]) if isinstance(value, list) else value  # a queue has no order

    on_services(embedded(folder), folder, bury)
    listed = parsed("list", "payments")
    assert [one["id"] for one in listed] == ["m-0", "m-1", "m-2"]
    assert listed[1] == {
        "id": "m-1", "failure": "PaymentUnavailable: down", "type": "orders.pay", "attempt": 12, "data": {"order": "o-1"},
        "traceparent": None, "trace": [],
    }  # fmt: skip
    assert parsed("show", "payments", "m-1") == [listed[1]]
    assert parsed("redrive", "payments", "--dry-run") == parsed("purge", "payments", "--dry-run") == listed
    assert parsed("list", "orders") == []
    assert parsed("redrive", "payments", "--id", "m-1") == {"source": "payments", "redriven": 1}
    assert parsed("purge", "payments", "--yes") == {"source": "payments", "deleted": 2}


def test_a_program_is_asked_on_standard_error(folder):
    command = [Path(sys.executable).with_name("twofold"), "dlq", "purge", "payments", "--json"]
    on_services(embedded(folder), folder, bury)
    for answer, expected in (("n\n", (1, "")), ("y\n", (0, {"source": "payments", "deleted": 3}))):
        done = subprocess.run(command, cwd=folder, input=answer, capture_output=True, text=True, timeout=60)
        assert "delete dead letters of payments for ever?" in done.stderr
        assert (done.returncode, json.loads(done.stdout) if done.stdout else "") == expected


def test_a_redriven_message_is_a_first_attempt(folder):
    on_services(embedded(folder), folder, lambda services: bury(services, 1))
    dlq(folder, "redrive", "payments")

    async def first(services):
        [delivery] = await services.queue.receive("payments")
        return Message.decode(delivery.body)

    message = on_services(embedded(folder), folder, first)
    assert (message.id, message.attempt, message.failure) == ("m-0", 1, None)


def test_the_rate_is_a_limit(folder):
    on_services(embedded(folder), folder, bury)
    slow = f"import time; start = time.monotonic(); {run_in_process('redrive', '--rate', '4')}; print(time.monotonic() - start)"
    done = subprocess.run([sys.executable, "-c", slow], cwd=folder, capture_output=True, text=True)
    assert float(done.stdout.split()[-1]) >= 0.7, done.stderr


def run_in_process(verb, *options):
    arguments = ["dlq", verb, "payments", *options]
    return f"from twofold.cli.main import app; app({arguments!r}, standalone_mode=False)"


def test_parked_streams_of_a_consumer_are_listed_and_redriven_but_never_purged(folder):
    async def park(services):
        async def failing(commit):
            raise RuntimeError("no")

        await services.events.append("order-1", services.events.start("order-1"), [Event("OrderPlaced", {
            "customer_id": "c", "currency": "EUR", "lines": [], "due_at": 1,
        })])  # fmt: skip
        await Feed(services.events, [Consumer("orders@0", failing, 1)]).process_streams(["order-1"])

    on_services(embedded(folder), folder, park)
    output = dlq(folder, "list", "orders")
    assert "order-1" in output and "parked at event 0" in output and "RuntimeError: no" in output
    [parked] = json.loads(dlq(folder, "list", "orders", "--json"))
    assert parked.pop("at") > 1_700_000_000 and parked.pop("trace")[-1].endswith("in failing")
    assert parked == {"id": "order-1", "failure": "RuntimeError: no", "consumer": "orders@0", "position": 0}
    catchup = [Path(sys.executable).with_name("twofold"), "catchup", "--json"]
    done = subprocess.run(catchup, cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and json.loads(done.stdout)["parked"] == ["orders@0"]
    assert done.stderr.endswith("twofold: streams are parked; see: twofold dlq list orders\n")
    assert "not purged" in dlq(folder, "purge", "orders", "--yes", code=2)
    assert "1 redriven" in dlq(folder, "redrive", "orders")
    assert "0 dead" in dlq(folder, "list", "orders")


def test_a_stack_is_found_by_its_outputs(folder, ministack):
    sqs = boto3.client("sqs", region_name=REGION, endpoint_url=ministack, **DUMMY)
    prefix = f"cli-{uuid.uuid4().hex[:8]}"
    for name in ("payments", "payments-poison"):
        sqs.create_queue(QueueName=f"{prefix}-{name}")
    url = f"sqs://{REGION}/{prefix}?endpoint={ministack}"
    on_services({"TWOFOLD_QUEUE_URL": url}, folder, bury)
    pulumi = folder / "bin/pulumi"
    pulumi.parent.mkdir()
    pulumi.write_text(
        f'#!/bin/sh\n[ "$6" = "" ] && [ "$5" = "prod-aws" ] && echo \'{json.dumps({"queue_url": url})}\' || exit 1\n'
    )
    pulumi.chmod(0o755)
    environ = {"PATH": f"{pulumi.parent}{os.pathsep}{os.environ['PATH']}"}
    output = dlq(folder, "list", "payments", "--cloud", "aws", "--env", "prod", **environ)
    assert "3 dead" in output and "m-0" in output
    assert "3 redriven" in dlq(folder, "redrive", "payments", "--cloud", "aws", "--env", "prod", **environ)
    assert "no outputs of the stack dev-aws" in dlq(folder, "list", "payments", "--cloud", "aws", code=2, **environ)


async def test_a_storage_queue_has_them_too_and_gets_back_what_was_only_looked_at(folder, azurite):
    service, prefix = storage_queues(azurite), f"cli-{uuid.uuid4().hex[:8]}"
    twins = {name: service.create_queue(f"{prefix}-{name}") for name in ("payments", "payments-poison")}
    parts = urlsplit(azurite)
    credential = StaticCredential(storage_token())
    driver = storage.from_url(f"storagequeue://{parts.netloc}{parts.path}/{prefix}", credential)
    services = bootstrap(Settings.load(embedded(folder), SERVICE, folder), SERVICE, queue_driver=driver)
    await bury(services, 23)
    twins["payments-poison"].send_message("what the host gave up")
    looked_at = await dead_letters.read(services, "payments", only=None, limit=15)
    assert len(looked_at) == 15 and "m-1" in {letter.id for letter in looked_at}
    assert await dead_letters.act(services, "payments", "redrive", only="m-7", limit=15, rate=1000) == 1
    assert await dead_letters.act(services, "payments", "redrive", only=None, limit=1000, rate=1000) == 23
    assert await dead_letters.read(services, "payments", only=None, limit=15) == []
    assert twins["payments"].get_queue_properties().approximate_message_count == 24
    await services.close()


def test_an_unknown_name_says_what_there_is(folder):
    assert "payments, orders, order-events, payment-outbox" in dlq(folder, "list", "mails", code=2)
