"""`pulumi up` of the real program onto an emulated AWS account, and an order all the way through what it made, over the wire.

The engine is real; the provider makes with boto3 on ministack what it is asked for. ministack then runs the functions from
the deployed artifact, with this environment's Python, behind its own gateway, stream and queue mappings and scheduler.
"""

import json
import os
import sys
import tempfile
import time

import boto3
import httpx
import pytest

from tests.emulators.fixtures import DUMMY, REGION
from tests.emulators.tool import needing
from tests.engine.emulated.kind import NotThere
from tests.engine.emulated.plugin import DYNAMIC, on_path
from tests.engine.emulated.provider import KINDS, Emulated
from tests.engine.engine import Engine
from tests.fakes.payments import KEY
from tests.integration.commands import command
from tests.integration.walk import ORDER, eventually
from tests.stacks.stack import config, program
from tools import pulumi_cli
from twofold.emulators import ministack as emulator
from twofold.emulators.process import free_port, serving
from twofold.portable.message import Message

pytestmark = pytest.mark.random_order(disabled=True)  # one story, in its order

FORGOTTEN: dict[str, set[str]] = {}
"""What ministack takes and does not give back, by type."""
BARE = "import runpy, sys; sys.executable = sys._base_executable; runpy.run_module('ministack', run_name='__main__')"
"""ministack, whose functions get a Python without this environment's packages: the artifact must bring its own."""


@pytest.fixture(scope="module")
def account(issuer, tmp_path_factory):
    """An account of its own, where every SDK of this process is pointed. What runs there trusts the issuer's certificate."""
    port = free_port()
    own = emulator.environ(port) | {"SSL_CERT_FILE": issuer.pem}
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None  # each instance unpacks 5,500 files, and removes them
    with (
        tempfile.TemporaryDirectory(dir=memory) as folder,
        serving([sys.executable, "-c", BARE], port, own | {"TMPDIR": folder}) as url,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, value in ({"aws_endpoint_url": url} | DUMMY).items():
            patch.setenv(name.upper(), value)
        patch.setenv("PATH", on_path(tmp_path_factory.mktemp("plugins"), pulumi_python=DYNAMIC))
        yield url


def client_of(service):
    return boto3.client(service, region_name=REGION)


@pytest.fixture(scope="module")
def settings(issuer, payments):
    return config("aws", oidcIssuer=issuer.url, settings=json.dumps({"payment_url": f"http://{payments.host}"}))


@pytest.fixture(scope="module")
def stack(account, settings, tmp_path_factory):
    """The stack, up; its secret set by its operator."""
    needing(pulumi_cli.find)
    engine = Engine(tmp_path_factory.mktemp("stack"), "dev-aws", settings, program, standin=Emulated())
    try:
        engine.up()
        command(engine, "aws", "secret", "set", "payment-api-key", input=KEY + "\n")
        yield engine
    finally:
        engine.close()


def inventory():
    """What is in the account, by kind."""
    listed = (
        ("dynamodb", "list_tables", "TableNames"),
        ("sqs", "list_queues", "QueueUrls"),
        ("secretsmanager", "list_secrets", "SecretList"),
        ("events", "list_event_buses", "EventBuses"),
        ("lambda", "list_functions", "Functions"),
        ("lambda", "list_event_source_mappings", "EventSourceMappings"),
        ("iam", "list_roles", "Roles"),
        ("scheduler", "list_schedules", "Schedules"),
        ("apigatewayv2", "get_apis", "Items"),
        ("logs", "describe_log_groups", "logGroups"),
        ("cloudwatch", "describe_alarms", "MetricAlarms"),
    )
    return {items: getattr(client_of(service), operation)().get(items, []) for service, operation, items in listed}


@pytest.fixture
def client(stack, account, issuer):
    """Through the gateway: under the API's own name, which need not resolve."""
    headers = {"Host": stack.outputs["url"].removeprefix("http://"), "Authorization": f"Bearer {issuer.token()}"}
    with httpx.Client(base_url=account, headers=headers, timeout=60) as client:
        yield client


@pytest.fixture
def publications(stack):
    """What the service publishes: the bodies that a queue behind a rule on its bus has received."""
    queues, events, bus = client_of("sqs"), client_of("events"), "orders-dev"
    queue = queues.create_queue(QueueName="publications")["QueueUrl"]
    arn = queues.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(
        Name="publications", EventBusName=bus, EventPattern=json.dumps({"detail-type": [{"prefix": "orders."}]})
    )
    events.put_targets(Rule="publications", EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])

    def received():
        messages = queues.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"])["detail-type"] for message in messages]

    yield received
    events.remove_targets(Rule="publications", EventBusName=bus, Ids=["queue"])
    events.delete_rule(Name="publications", EventBusName=bus)
    queues.delete_queue(QueueUrl=queue)


def wait():
    time.sleep(0.2)


def test_the_account_holds_what_the_engine_asked_for(stack):
    wanted = {one["urn"] for one in stack.state()["resources"] if one["type"].startswith("aws:")}
    assert wanted == set(stack.standin.resources)
    assert {token: lost for token, lost in stack.standin.lost.items() if lost} == FORGOTTEN
    missing = {token for token, kind in KINDS.items() if isinstance(kind, NotThere)}
    assert missing == {"aws:cloudwatch/queryDefinition:QueryDefinition"}
    tagged = client_of("resourcegroupstaggingapi").get_resources(TagFilters=[{"Key": "service", "Values": ["orders"]}])
    services = {one["ResourceARN"].split(":")[2] for one in tagged["ResourceTagMappingList"]}
    assert services >= {"dynamodb", "lambda", "sqs"}  # the provider's default tags have come along


def test_an_order_goes_all_the_way(client, payments, publications):
    placed = client.post("/orders", json=ORDER, headers={"Idempotency-Key": "first"})
    assert placed.status_code == 201, placed.text
    order = placed.headers["location"]
    assert client.post(f"{order}/payment", json={}).status_code == 202
    paid = eventually(lambda: (answer := client.get(order)).json()["status"] == "paid" and answer, wait, 60)
    assert payments.charged == {f"{order.rsplit('/', 1)[1]}-1": 2500}
    shipped = client.post(f"{order}/shipment", json={}, headers={"If-Match": paid.headers["etag"]})
    assert shipped.json()["status"] == "shipped"

    def listed():
        rows = client.get("/customers/c-1/orders", params={"status": "shipped"}).json()["orders"]
        return [row["id"] for row in rows] == [order.rsplit("/", 1)[1]]

    eventually(listed, wait)
    history = [event["type"] for event in client.get(f"{order}/events").json()["events"]]
    assert history == ["OrderPlaced", "PaymentRequested", "OrderPaid", "OrderShipped"]
    published = []
    eventually(lambda: published.extend(publications()) or len(published) == 3, wait)
    assert sorted(published) == ["orders.paid", "orders.placed", "orders.shipped"]


def test_the_gateway_turns_away_what_it_should(client, issuer):
    def asked(path, token):
        return client.get(path, headers={"Authorization": f"Bearer {token}" if token else ""})

    assert asked("/orders/none", None).json() == {"message": "Unauthorized"}
    assert asked("/orders/none", issuer.token(aud="another")).status_code == 401
    assert asked("/orders/none", issuer.token(scope="orders.write")).json() == {"message": "Forbidden"}
    assert asked("/nowhere", issuer.token()).json() == {"message": "Not Found"}
    # Let in, and answered by the service: it verifies tokens itself, this one included.
    assert asked("/orders/none", issuer.token()).json()["type"] == "urn:twofold:problem:order-not-found"
    assert asked("/health/ready", None).json()["status"] == "ready"


def test_a_payment_that_always_fails_is_dead_lettered(stack, client, payments):
    """Its first attempts are the account's own; of those that would take most of an hour only the twelfth is made, by hand."""
    payments.down = True
    order = client.post("/orders", json=ORDER).headers["location"].rsplit("/", 1)[1]
    client.post(f"/orders/{order}/payment", json={})
    eventually(lambda: payments.refused.count(f"{order}-1") >= 4, wait, 60)  # three requests an attempt
    queues = client_of("sqs")
    last = Message("orders.pay", {"order": order, "request": 1}, id=f"{order}-1", attempt=12)
    queue = queues.get_queue_url(QueueName="orders-dev-payments")["QueueUrl"]
    queues.send_message(QueueUrl=queue, MessageBody=last.encode("/orders"))
    dead = queues.get_queue_url(QueueName="orders-dev-payments-poison")["QueueUrl"]

    def waiting():
        asked = {"QueueUrl": dead, "AttributeNames": ["ApproximateNumberOfMessages"]}
        return queues.get_queue_attributes(**asked)["Attributes"]["ApproximateNumberOfMessages"] == "1"

    eventually(waiting, wait, 60)
    assert "PaymentUnavailable" in command(stack, "aws", "dlq", "show", "payments", f"{order}-1")
    assert client.get(f"/orders/{order}").json()["status"] == "payment_pending"


def test_the_schedule_runs_its_unit():
    """The deployed schedule's own target, five minutes early: by a second schedule that goes off once."""
    schedules, logs = client_of("scheduler"), client_of("logs")
    target = schedules.get_schedule(Name="orders-dev-expire-unpaid")["Target"]
    schedules.create_schedule(
        Name="once", ScheduleExpression="at(2026-01-01T00:00:00)", ActionAfterCompletion="DELETE", Target=target,
        FlexibleTimeWindow={"Mode": "OFF"},
    )  # fmt: skip

    def lines():
        events = logs.filter_log_events(logGroupName="/aws/lambda/orders-dev-schedule")["events"]
        return [event["message"] for event in events]

    eventually(lambda: any(line.startswith("END") for line in lines()), wait, 60)
    assert not any("Error" in line for line in lines()), lines()


def test_a_changed_setting_goes_live_as_a_new_version(stack, settings, client):
    def live():
        alias = client_of("lambda").get_alias(FunctionName="orders-dev-http", Name="live")
        return alias["FunctionVersion"], client.get("/health/live", headers={"Origin": "https://shop.example"}).headers

    version, headers = live()
    assert version == "1" and "access-control-allow-origin" not in headers
    stack.configure(settings | {"twofold:corsOrigins": "https://shop.example"})
    stack.up()
    version, headers = live()
    assert version == "2" and headers["access-control-allow-origin"] == "https://shop.example"


def test_nothing_changes_unless_somebody_changed_it(stack):
    assert set(stack.up()) == {"same"}
    client_of("cloudwatch").delete_alarms(AlarmNames=["orders-dev-payments-poison"])
    client_of("logs").put_retention_policy(logGroupName="/aws/lambda/orders-dev-feed", retentionInDays=1)
    drift = stack.refresh()
    assert (drift["update"], drift["delete"]) == (1, 1)
    repaired = stack.up()
    assert (repaired["update"], repaired["create"]) == (1, 1) and set(repaired) == {"same", "update", "create"}


def test_destroy_leaves_nothing(stack):
    stack.destroy()
    left = {items: names for items, names in inventory().items() if names}
    assert [bus["Name"] for bus in left.pop("EventBuses")] == ["default"] and left == {}
