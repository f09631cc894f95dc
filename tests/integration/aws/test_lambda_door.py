"""`lambda_function.py`, run by the real `awslambdaric`, on ministack, DynamoDB as strict as AWS."""

import json
import subprocess
import sys
import time
import uuid

import boto3
import httpx
import pytest

from tests.copies.copy import ROOT
from tests.emulators.fixtures import DUMMY, REGION, create_tables
from tests.integration.tokens import bearer
from tests.integration.walk import ORDER, eventually, walk
from twofold.deploy.aws.health import REQUEST, reason
from twofold.emulators.aws import QueueDelivery, queue_event
from twofold.emulators.dynamodb_stream import DynamoDBStream
from twofold.emulators.lambda_host import FunctionError, LambdaHost
from twofold.portable.message import Message


@pytest.fixture(scope="module")
def sqs(ministack):
    return boto3.client("sqs", region_name=REGION, endpoint_url=ministack, **DUMMY)


@pytest.fixture(scope="module")
def environ(dynamodb, ministack, sqs):
    prefix = f"door-{uuid.uuid4().hex[:8]}"
    create_tables(dynamodb, prefix)
    for name in ("payments", "payments-poison"):
        sqs.create_queue(QueueName=f"{prefix}-{name}")
    boto3.client("events", region_name=REGION, endpoint_url=ministack, **DUMMY).create_event_bus(Name=prefix)
    secrets = boto3.client("secretsmanager", region_name=REGION, endpoint_url=ministack, **DUMMY)
    secrets.create_secret(Name=f"{prefix}/payment-api-key", SecretString="k")
    return {
        "TWOFOLD_STORE_URL": f"dynamodb://{REGION}/{prefix}?endpoint={dynamodb}",
        "TWOFOLD_SECRETS_URL": f"secretsmanager://{REGION}/{prefix}?endpoint={ministack}",
        "TWOFOLD_QUEUE_URL": f"sqs://{REGION}/{prefix}?endpoint={ministack}",
        "TWOFOLD_EVENTS_URL": f"eventbridge://{REGION}/{prefix}?endpoint={ministack}",
    }


@pytest.fixture(scope="module")
def host(environ):
    host = LambdaHost(ROOT, environ)
    yield host
    host.close()


@pytest.fixture
def stream(prefix, dynamodb):
    return DynamoDBStream(dynamodb, f"{prefix}-events")


def of(orders, batch):
    """The records of these orders: the stream has those of the tests before too."""
    streams = [f"order-{order.rsplit('/', 1)[1]}" for order in orders]
    return [record for record in batch["Records"] if record["dynamodb"]["Keys"]["p"]["S"] in streams]


@pytest.fixture(scope="module")
def prefix(environ):
    return environ["TWOFOLD_STORE_URL"].split("/")[3].partition("?")[0]


@pytest.fixture
def work_off(ministack, prefix, host):
    """Does what the queue's event source mapping does."""
    return QueueDelivery(ministack, f"{prefix}-payments", host.invoke)


def sqs_event(prefix, messages):
    return queue_event(f"{prefix}-payments", messages)


@pytest.fixture(scope="module")
def client(host):
    with httpx.Client(base_url=host.url, headers=bearer(), timeout=60) as client:
        yield client


def test_the_walk(client, host, stream, work_off):
    def settle():
        if (batch := stream.batch())["Records"]:
            assert host.invoke(batch) == {"batchItemFailures": []}
        work_off()

    walk(client, settle)


def test_a_queue_batch_fails_in_part(client, host, prefix, environ):
    order = client.post("/orders", json=ORDER).headers["location"]
    client.post(f"{order}/payment", json={})
    lost = LambdaHost(ROOT, environ | {"TWOFOLD_QUEUE_URL": f"sqs://{REGION}/{prefix}?endpoint=http://127.0.0.1:9"})
    good = Message("orders.pay", {"order": order.rsplit("/", 1)[1], "request": 1}).encode("/orders")
    messages = [
        {"MessageId": message_id, "ReceiptHandle": message_id, "Body": body}
        for message_id, body in (("m-1", good), ("m-2", "junk"))
    ]
    # The good one is done and needs no queue; the unreadable one can't reach the dead-letter queue, so it comes again.
    assert lost.invoke(sqs_event(prefix, messages)) == {"batchItemFailures": [{"itemIdentifier": "m-2"}]}
    lost.close()
    assert client.get(order).json()["status"] == "paid"
    assert host.invoke(sqs_event(prefix, messages)) == {"batchItemFailures": []}


def test_a_message_that_fails_again_and_again_is_dead_lettered(client, sqs, prefix, environ):
    broken = LambdaHost(ROOT, environ | {"TWOFOLD_APP_PAYMENT_URL": "http://127.0.0.1:9"})
    order = client.post("/orders", json=ORDER).headers["location"]
    client.post(f"{order}/payment", json={})
    text = Message("orders.pay", {"order": order.rsplit("/", 1)[1], "request": 1}, id="m", attempt=12).encode("/orders")
    event = sqs_event(prefix, [{"MessageId": "m", "ReceiptHandle": "m", "Body": text}])
    assert broken.invoke(event) == {"batchItemFailures": []}
    broken.close()
    url = sqs.get_queue_url(QueueName=f"{prefix}-payments-poison")["QueueUrl"]
    dead = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=2, MaxNumberOfMessages=10)["Messages"]
    letter = {one.id: one for one in (Message.decode(each["Body"]) for each in dead)}["m"]
    assert letter.attempt == 12 and "PaymentUnavailable" in letter.failure
    assert client.get(order).json()["status"] == "payment_pending"


def test_a_batch_delivered_twice_and_out_of_order_changes_nothing(client, host, stream, work_off):
    orders = [client.post("/orders", json=ORDER).headers["location"] for _ in range(3)]
    for order in orders:
        client.post(f"{order}/payment", json={})
    records = of(orders, stream.batch())
    assert len(records) == 6
    for batch in (records[::-1], records, records[3:]):
        assert host.invoke({"Records": batch}) == {"batchItemFailures": []}
    while work_off():
        pass
    for order in orders:
        assert [e["type"] for e in client.get(f"{order}/events").json()["events"]].count("OrderPaid") == 1


def test_a_schedule_runs_by_name_and_an_unknown_event_is_refused(host):
    assert host.invoke({"twofold": {"schedule": "expire-unpaid"}}) is None
    for event in ({"twofold": {"schedule": "other"}}, {"detail-type": "Scheduled Event"}):
        with pytest.raises(FunctionError):
            host.invoke(event)


def test_a_store_that_is_down_returns_the_batch(environ, stream, client):
    order = client.post("/orders", json=ORDER).headers["location"]
    records = of([order], stream.batch())
    lost = LambdaHost(ROOT, environ | {"TWOFOLD_STORE_URL": f"dynamodb://{REGION}/x?endpoint=http://127.0.0.1:9"})
    answer = lost.invoke({"Records": records})
    lost.close()
    first = {"itemIdentifier": records[0]["dynamodb"]["SequenceNumber"]}
    assert answer == {"batchItemFailures": [first]}


def test_wrong_settings_are_listed_and_end_the_process():
    with pytest.raises(FunctionError) as failed:
        LambdaHost(ROOT, {"TWOFOLD_ROLE": "boss", "TWOFOLD_STORE_URL": "mongo://x"})
    assert "TWOFOLD_ROLE" in str(failed.value) and "TWOFOLD_STORE_URL" in str(failed.value)
    assert "Traceback" not in str(failed.value)


def test_a_checkout_without_settings_serves_the_embedded_default(tmp_path):
    (tmp_path / "api").symlink_to(ROOT / "api")
    (tmp_path / "lambda_function.py").symlink_to(ROOT / "lambda_function.py")
    host = LambdaHost(tmp_path, {})
    with httpx.Client(base_url=host.url, headers=bearer(tmp_path), timeout=60) as client:
        order = client.post("/orders", json=ORDER).headers["location"]
        client.post(f"{order}/payment", json={})
        eventually(lambda: client.get(order).json()["status"] == "paid", lambda: None)
    host.close()
    assert (tmp_path / ".data/twofold.db").exists()


def test_the_handler_loads_no_other_cloud():
    code = "import sys, lambda_function; print(sorted({m.split('.')[0] for m in sys.modules} & {'azure', 'boto3', 'fastapi'}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_a_unit_tells_the_deployer_how_it_is(host):
    # The first one loads boto3 and connects, which may take more than its two seconds: the deployer asks again too.
    eventually(lambda: host.invoke({"twofold": {"health": "ready"}})["status"] == "ready", lambda: time.sleep(0.1))
    ready = host.invoke({"twofold": {"health": "ready"}})
    up = dict.fromkeys(("store", "secrets", "queue"), "up")
    assert up.items() <= {one["name"]: one["status"] for one in ready["dependencies"]}.items()
    asked = host.invoke(REQUEST)
    assert asked["statusCode"] == 200 and json.loads(asked["body"])["status"] == "ready"


def test_a_unit_whose_store_is_down_says_so_and_its_log_why(environ):
    store = f"dynamodb://{REGION}/nowhere?endpoint=http://127.0.0.1:9"
    host = LambdaHost(ROOT, environ | {"TWOFOLD_STORE_URL": store, "TWOFOLD_ROLE": "worker"})
    try:
        assert host.invoke({"twofold": {"health": "ready"}})["status"] == "down"
        assert host.invoke(REQUEST)["statusCode"] == 503
        host.log.seek(0)
        log = host.log.read()
    finally:
        host.close()
    assert reason(log).startswith("store is down: ")
