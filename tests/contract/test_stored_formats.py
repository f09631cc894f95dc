"""What is stored stays readable: each golden fixture is read by this version, and what this version writes equals it.

A change of a stored form adds `<name>-<next format>.json` beside these; none of them is ever changed.
"""

import hashlib
import json
from pathlib import Path

import pytest

from twofold.aws import document_codec as dynamodb
from twofold.azure import document_codec as cosmos
from twofold.errors import EventFormatError
from twofold.local import document_store as sqlite
from twofold.portable.document_store import Document, DocumentStore, Put
from twofold.portable.event_store import Event, EventStore
from twofold.portable.feed import Consumer, Feed, Parked
from twofold.portable.idempotency import Idempotency, derived_id
from twofold.portable.message import Message
from twofold.portable.read_model import ReadModels
from twofold.portable.telemetry import Span, entered

NOW = 1_700_000_000.5


def golden(name):
    return json.loads((Path(__file__).parent / "golden" / f"{name}.json").read_text())


@pytest.fixture
async def store(tmp_path):
    opened = DocumentStore(sqlite.from_url(f"sqlite:///{tmp_path}/store.db"), clock=lambda: NOW)
    yield opened
    await opened.close()


async def stored(store, collection, expected):
    document = await store.get(collection, expected["partition"], expected["id"])
    return {"partition": document.partition, "id": document.id, "body": document.body}


async def test_commits(store):
    events, expected = EventStore(store), golden("commit-1")
    position = await events.append("order-1", events.start("order-1"), [Event("OrderPlaced", {}), Event("X", {})])
    await events.append("order-1", position, [Event("OrderPaid", {"reference": "r-1"}), Event("OrderShipped", {})])
    assert await stored(store, "events", expected) == expected
    commit = events.decode(Document(**expected, version="v"))
    assert (commit.first, commit.end, commit.events[0].data, commit.events[1].number) == (2, 4, {"reference": "r-1"}, 3)


async def test_a_commit_keeps_the_trace_that_it_was_made_in(store):
    events, expected = EventStore(store), golden("commit-1-traced")
    with entered(Span("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", True)):
        await events.append("order-1", events.start("order-1"), [Event("OrderPlaced", {})])
    assert await stored(store, "events", expected) == expected
    assert events.decode(Document(**expected, version="v")).traceparent == expected["body"]["traceparent"]


async def test_a_commit_of_a_later_format_is_refused_by_name(store):
    later = golden("commit-1")
    later["body"]["format"] = 2
    with pytest.raises(EventFormatError, match="format 2"):
        EventStore(store).decode(Document(**later, version="v"))


async def test_events_of_an_earlier_schema_are_lifted_step_by_step(store):
    upcasters = {
        ("OrderPaid", 1): lambda data: {"payment": data["reference"]},
        ("OrderPaid", 2): lambda data: {"payments": [data["payment"]]},
    }
    commit = EventStore(store, upcasters=upcasters).decode(Document(**golden("commit-1"), version="v"))
    assert (commit.events[0].data, commit.events[0].schema) == ({"payments": ["r-1"]}, 3)
    assert (commit.events[1].data, commit.events[1].schema) == ({}, 1)


async def test_snapshots(store):
    events, expected = EventStore(store), golden("snapshot-1")
    position = await events.append("order-1", events.start("order-1"), [Event("A", {}), Event("B", {})])
    await events.save_snapshot("order-1", position, {"status": "paid"})
    assert await stored(store, "documents", expected) == expected
    assert await events.load_snapshot("order-1") == (position, {"status": "paid"})


async def test_checkpoints_and_parked_streams(store):
    events = EventStore(store)

    async def consume(commit):
        if commit.first == 2:
            raise ValueError("no")

    feed = Feed(events, [Consumer("views", consume, 1)])
    position = await events.append("order-1", events.start("order-1"), [Event("A", {}), Event("B", {})])
    await feed.process_streams(["order-1"])
    assert await stored(store, "documents", golden("checkpoint-1")) == golden("checkpoint-1")
    await events.append("order-1", position, [Event("C", {})])
    await feed.process_streams(["order-1"])
    written, expected = await stored(store, "documents", golden("parked-1")), golden("parked-1-traced")
    trace = written["body"]["trace"]
    assert trace.endswith("in consume")
    assert written == expected | {"body": expected["body"] | {"trace": trace}}
    for name, known in (("parked-1", None), ("parked-1-traced", expected["body"]["trace"])):
        await store.put("documents", expected["partition"], expected["id"], golden(name)["body"])
        [parked] = await feed.parked("views")
        assert parked == Parked("views", "order-1", 2, "ValueError: no", 1_700_000_000, known)


async def test_generations_of_a_read_model(store):
    models, expected = ReadModels(store), golden("generations-1")
    seen = await models.generations("orders")
    await models.change("orders", seen, live=0, building=1)
    assert await stored(store, "documents", expected) == expected
    read = await ReadModels(store).generations("orders")
    assert (read.live, read.building, read.latest, read.written) == (0, 1, 1, (0, 1))


async def test_idempotency_records(store):
    records, expected = Idempotency(store), golden("idempotency-1")
    claim = await records.claim("anonymous POST /orders", "k", "f")
    await records.complete(claim, expected["body"]["answer"])
    expected["partition"] = "idempotency:" + hashlib.sha256(b"anonymous POST /orders").hexdigest()
    expected["id"] = hashlib.sha256(b"k").hexdigest()
    assert await stored(store, "documents", expected) == expected
    assert await records.claim("anonymous POST /orders", "k", "f") == expected["body"]["answer"]
    assert derived_id("anonymous POST /orders", "k") == "6db51171-2684-57d8-af26-37153501f8f0"


def test_message_envelopes():
    expected = golden("message-1")
    message = Message.decode(json.dumps(expected))
    assert message == Message(
        "payment.requested", {"order": "1"}, "m-1", 2, expected["traceparent"], expected["failure"]
    )
    written = json.loads(message.encode("/orders"))
    assert written == expected | {"time": written["time"]} and written["time"].endswith("Z")


def test_envelopes_of_dead_letters():
    expected = golden("message-1-dead")
    message = Message.decode(json.dumps(expected))
    assert (message.failure, message.trace) == (expected["failure"], expected["trace"])
    written = json.loads(message.encode("/orders"))
    assert written == expected | {"time": written["time"]}


PUT = Put("1", {"text": "ä", "price": 0.1}, expires_at=1_700_000_060)


def test_dynamodb_items():
    expected = golden("dynamodb-item-1")
    assert dynamodb.encode("a", PUT, "minted") == expected
    assert dynamodb.decode(expected) == Document("a", "1", PUT.body, "minted", PUT.expires_at)


def test_cosmos_items():
    expected = golden("cosmos-item-1")
    assert cosmos.encode("a", PUT, "minted", 1_700_000_000) == expected
    read = cosmos.decode(expected | {"_etag": '"tag"'})
    assert read == Document("a", "1", PUT.body, "minted.tag.1700000060", PUT.expires_at)
