"""An order through every hop, on each backend: exactly one trace, each span below its cause, none without its parent."""

import uuid
from urllib.parse import urlsplit

import boto3
import pytest

from api.manifest import SERVICE
from tests.emulators.fixtures import DUMMY, REGION, create_tables, storage_queues
from tests.fakes.credential import StaticCredential
from tests.integration.tokens import bearer
from tests.telemetry.recorded import CALLER, TRACE, Recorder, play
from twofold.aws import document_store as dynamodb
from twofold.aws import message_queue as sqs
from twofold.azure import document_store as cosmos
from twofold.azure import message_queue as storage
from twofold.bootstrap import bootstrap
from twofold.emulators.cosmos import CosmosFake
from twofold.emulators.managed_identity import storage_token
from twofold.portable.message_queue import dead_letter_name
from twofold.runtime import Runtime
from twofold.settings import Settings


@pytest.fixture(params=["sqlite", "aws", "aws, moto", "azure"])
def backend(request):
    """The drivers of one home, beside the embedded rest, and what the store and the queue are called in traces."""
    if request.param == "sqlite":
        yield {}, "sqlite", "sqlite"
    elif request.param == "azure":
        account = request.getfixturevalue("azurite")
        service, prefix, parts = storage_queues(account), f"t{uuid.uuid4().hex[:8]}", urlsplit(account)
        for name in ("payments", dead_letter_name("payments")):
            service.create_queue(f"{prefix}-{name}")
        with CosmosFake() as fake:
            yield (
                {
                    "document_driver": cosmos.from_url(fake.create("t", "events", "documents"), StaticCredential()),
                    "queue_driver": storage.from_url(
                        f"storagequeue://{parts.netloc}{parts.path}/{prefix}", StaticCredential(storage_token())
                    ),
                },
                "azure.cosmosdb",
                "azure.storagequeue",
            )
    else:
        store = request.getfixturevalue("dynamodb_moto" if "moto" in request.param else "dynamodb")
        queues, prefix = request.getfixturevalue("ministack"), f"t{uuid.uuid4().hex[:8]}"
        create_tables(store, prefix)
        client = boto3.client("sqs", region_name=REGION, endpoint_url=queues, **DUMMY)
        for name in ("payments", dead_letter_name("payments")):
            client.create_queue(QueueName=f"{prefix}-{name}")
        yield (
            {
                "document_driver": dynamodb.from_url(f"dynamodb://{REGION}/{prefix}?endpoint={store}"),
                "queue_driver": sqs.from_url(f"sqs://{REGION}/{prefix}?endpoint={queues}"),
            },
            "aws.dynamodb",
            "aws_sqs",
        )


async def test_an_order_is_one_trace(backend, tmp_path, monkeypatch):
    drivers, store, queue = backend
    monkeypatch.chdir(tmp_path)
    bearer(tmp_path)
    recorder = Recorder()
    services = bootstrap(Settings.load({}, SERVICE, tmp_path), SERVICE, telemetry=recorder.telemetry, **drivers)
    runtime = Runtime(SERVICE, root=tmp_path, services=services)
    try:
        await play(runtime, tmp_path)
        spans = recorder.spans()
    finally:
        await runtime.stop()

    by_id = {f"{span.context.span_id:016x}": span for span in spans}
    assert len(by_id) == len(spans) and {f"{span.context.trace_id:032x}" for span in spans} == {TRACE}
    parents = {f"{span.parent.span_id:016x}" for span in spans}
    assert parents <= set(by_id) | {CALLER}, "a span's parent was not recorded"

    def path(span):
        """The names from the caller down to the span."""
        above = by_id.get(f"{span.parent.span_id:016x}")
        return (*(path(above) if above else ()), span.name)

    paths = {path(span) for span in spans}
    payment = "POST /orders/{order_id}/payment"
    worker = (payment, "process payment-outbox", "send payments", "process payments")
    for expected in (
        ("POST /orders",),
        ("POST /orders", "commit documents"),  # the Idempotency-Key's record
        ("POST /orders", "commit events"),
        ("POST /orders", "process orders@0", "commit documents"),
        ("POST /orders", "process order-events"),
        (payment, "commit events"),
        (payment, "process orders@0", "commit documents"),
        worker,
        (*worker, "get secret payment-api-key"),
        (*worker, "POST"),
        (*worker, "commit events"),
        (*worker, "process orders@0", "commit documents"),
        (*worker, "process order-events", "publish events"),
        ("GET /customers/{customer_id}/orders", "query documents"),
    ):
        assert expected in paths, f"{expected} is missing of {sorted(paths)}"

    kinds = {span.name: span.kind.name for span in spans}
    assert kinds["POST /orders"] == "SERVER" and kinds["commit events"] == "CLIENT" and kinds["POST"] == "CLIENT"
    assert kinds["send payments"] == "PRODUCER" and kinds["process payments"] == "CONSUMER"
    assert {s.attributes["db.system.name"] for s in spans if "db.system.name" in s.attributes} == {store}
    [sent] = [span for span in spans if span.name == "send payments"]
    assert sent.attributes["messaging.system"] == queue
    assert "c-1" not in str(
        [dict(span.attributes) for span in spans if span.name != "GET /customers/{customer_id}/orders"]
    )
