"""Publishing: every backend accepts the same events, tells a failure, and asks nothing of what it is not told."""

import json
import uuid
from itertools import pairwise

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.emulators.fixtures import DUMMY, REGION
from tests.fakes.credential import StaticCredential
from twofold.aws import event_publisher as eventbridge
from twofold.aws.client import Client
from twofold.azure import event_publisher as eventgrid
from twofold.emulators.event_grid import EventGridFake, refuse
from twofold.emulators.server import Answer, FakeServer
from twofold.errors import EventsRefused, ProfileError, PublisherUnavailable
from twofold.local import event_publisher as local
from twofold.portable.event_publisher import EventPublisher, chunks
from twofold.portable.message import Message

TYPES = ("orders.placed",)
EVENTS = [Message("orders.placed", {"order": f"o-{n}", "text": "ä 😀 \uffff"}, id=f"e-{n}") for n in range(12)]


class Webhook(FakeServer):
    """Takes CloudEvents one at a time."""

    def __init__(self):
        super().__init__(tls=False)
        self.events = []

    def serve(self, method, path, raw_query, headers, body):
        assert (method, path, headers["Content-Type"]) == ("POST", "/hook", "application/cloudevents+json")
        self.events.append(json.loads(body))
        return Answer(204)


@pytest.fixture(params=["webhook", "eventgrid", "eventbridge"])
def backend(request):
    """A driver, a function that gives what arrived, and one that makes the backend fail."""
    if request.param == "webhook":
        with Webhook() as hook:
            url = f"http://{hook.host}/hook"
            yield local.from_url(url), lambda: hook.events, lambda: hook.inject(100, Answer(500))
    elif request.param == "eventgrid":
        with EventGridFake() as topic:
            driver = eventgrid.from_url(f"eventgrid://{topic.host}", StaticCredential())
            yield driver, lambda: topic.events, lambda: topic.inject(100, refuse(503, "ServiceUnavailable", "busy"))
    else:
        yield from eventbridge_backend(request.getfixturevalue("ministack"))


def eventbridge_backend(endpoint):
    keys = {"region_name": REGION, "endpoint_url": endpoint, **DUMMY}
    events, sqs, bus = boto3.client("events", **keys), boto3.client("sqs", **keys), f"b-{uuid.uuid4().hex[:8]}"
    events.create_event_bus(Name=bus)
    queue = sqs.create_queue(QueueName=bus)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name=bus, EventBusName=bus, EventPattern=json.dumps({"source": ["/orders"]}))
    events.put_targets(Rule=bus, EventBusName=bus, Targets=[{"Id": "1", "Arn": arn}])
    driver = eventbridge.from_url(f"eventbridge://{REGION}/{bus}?endpoint={endpoint}")

    def arrived():
        events = []
        while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
            events += [json.loads(message["Body"])["detail"] for message in messages]
        return events

    def fail():
        driver._client = Client("events", REGION, "http://127.0.0.1:9")

    yield driver, arrived, fail


async def test_events_arrive_as_cloudevents_and_a_failure_is_told(backend):
    driver, arrived, fail = backend
    publisher = EventPublisher(driver, TYPES, source="/orders")
    await publisher.publish([])
    await publisher.publish(EVENTS)
    by_id = {event["id"]: event for event in arrived()}
    assert set(by_id) == {event.id for event in EVENTS}
    for event in EVENTS:
        got = by_id[event.id]
        assert (got["specversion"], got["type"], got["source"]) == ("1.0", "orders.placed", "/orders")
        assert got["data"] == event.data
    with pytest.raises(ProfileError, match=r"orders\.lost"):
        await publisher.publish([*EVENTS, Message("orders.lost", {})])
    assert not set(event["id"] for event in arrived()) - set(by_id)
    fail()
    with pytest.raises(PublisherUnavailable):
        await publisher.publish(EVENTS[:1])
    await publisher.close()


@given(st.lists(st.integers(1, 12)), st.integers(1, 4), st.integers(1, 12))
def test_batches_keep_order_number_and_size(lengths, most, size):
    envelopes = [str(index % 10) * length for index, length in enumerate(lengths)]
    batches = list(chunks(envelopes, most, size))
    assert [one for chunk in batches for one in chunk] == envelopes
    for chunk in batches:
        assert 1 <= len(chunk) <= most and (len(chunk) == 1 or sum(map(len, chunk)) <= size)
    for chunk, following in pairwise(batches):
        assert len(chunk) == most or sum(map(len, chunk)) + len(following[0]) > size


async def test_what_is_too_large_for_one_call_arrives_in_several(backend):
    driver, arrived, _ = backend
    events = [Message("orders.placed", {"text": "x" * 40_000}, id=f"large-{n}") for n in range(30)]
    await EventPublisher(driver, TYPES, source="/orders").publish(events)
    assert sorted(event["id"] for event in arrived()) == sorted(event.id for event in events)
    await driver.close()


@pytest.mark.parametrize("status", [400, 413])
async def test_events_that_are_refused_as_invalid_are_no_receiver_that_is_down(status):
    with Webhook() as hook, EventGridFake() as topic:
        for fake, driver in (
            (hook, local.from_url(f"http://{hook.host}/hook")),
            (topic, eventgrid.from_url(f"eventgrid://{topic.host}", StaticCredential())),
        ):
            fake.inject(1, Answer(status))
            with pytest.raises(EventsRefused, match=str(status)):
                await EventPublisher(driver, TYPES, source="/orders").publish(EVENTS[:1])
            await driver.close()


class Bus(FakeServer):
    """PutEvents with these entries' codes, or refused as a whole."""

    def __init__(self, *codes, refused=""):
        super().__init__(tls=False)
        self.codes, self.refused = codes, refused

    def serve(self, method, path, raw_query, headers, body):
        kind = {"Content-Type": "application/x-amz-json-1.1"}
        if self.refused:
            return Answer(400, {"__type": self.refused, "message": "no"}, kind)
        entries = [{"ErrorCode": code, "ErrorMessage": "no"} if code else {"EventId": "1"} for code in self.codes]
        return Answer(200, {"FailedEntryCount": len(list(filter(None, self.codes))), "Entries": entries}, kind)


@pytest.mark.parametrize(
    ("bus", "error"),
    [
        (Bus("", "MalformedDetail"), EventsRefused), (Bus("InternalFailure", "InvalidArgument"), EventsRefused),
        (Bus(refused="ValidationException"), EventsRefused), (Bus("ThrottlingException", ""), PublisherUnavailable),
        (Bus(refused="ResourceNotFoundException"), PublisherUnavailable),
    ],
    ids=["malformed", "some", "call", "throttled", "no-bus"],
)  # fmt: skip
async def test_a_bus_refuses_what_is_invalid_for_good_and_the_rest_for_now(bus, error, monkeypatch):
    for name, value in (("AWS_ACCESS_KEY_ID", "x"), ("AWS_SECRET_ACCESS_KEY", "x")):
        monkeypatch.setenv(name, value)
    with bus:
        driver = eventbridge.from_url(f"eventbridge://{REGION}/b?endpoint=http://{bus.host}")
        with pytest.raises(error, match="EventBridge"):
            await EventPublisher(driver, TYPES, source="/orders").publish(EVENTS[:2])
        await driver.close()


async def test_the_log_is_told_where_nobody_else_is(caplog):
    with caplog.at_level("INFO", "twofold.events"):
        await EventPublisher(local.from_url("log:"), TYPES, source="/orders").publish(EVENTS[:1])
    assert '"id": "e-0"' in caplog.text
