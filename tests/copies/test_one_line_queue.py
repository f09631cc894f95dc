"""A queue is one line of the manifest: with it the local loop, both doors and both stacks have it, in a unit of its own."""

import json
import sys

import httpx
import pytest

from tests.copies.copy import Copy
from twofold.emulators.lambda_host import LambdaHost
from twofold.emulators.process import free_port, serving
from twofold.portable.message import Message

HANDLER = '''"""A worker that writes down what it was told."""

from pathlib import Path


async def send(services, message):
    with open(Path(__file__).parents[1] / "mails.txt", "a") as file:
        file.write(message.data["to"] + "\\\\n")
'''
SEND = """
import asyncio, sys
from pathlib import Path
from api.manifest import SERVICE
from twofold.bootstrap import bootstrap
from twofold.portable.message import Message
from twofold.settings import Settings

async def main():
    services = bootstrap(Settings.load({}, SERVICE, Path.cwd()), SERVICE)
    await services.queue.send("mails", Message("mail", {"to": "local"}))
    await services.close()

asyncio.run(main())
"""
MAIL = Message("mail", {"to": "somebody"}).encode("/orders")


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    copied = Copy(tmp_path_factory.mktemp("queue"))
    copied.replace("api/manifest.py", "queues=(", 'queues=(QueueSpec("mails", "api.mails:send", unit="mailer"), ')
    copied.write("api/mails.py", HANDLER.replace("\\\\n", "\\n"))
    return copied


@pytest.fixture
def mails(copy):
    file = copy.folder / "mails.txt"
    file.write_text("")
    return lambda: file.read_text().split()


def test_the_local_loop_works_it_off(copy, mails):
    port = free_port()
    command = [sys.executable, "-m", "twofold.cli.main", "run", "--port", str(port)]
    with serving(command, port, {"PYTHONPATH": str(copy.folder)}, folder=copy.folder):
        copy.run("python", "-c", SEND)
        for _ in range(100):
            if mails():
                break
            httpx.get(f"http://127.0.0.1:{port}/health/live")
    assert mails() == ["local"]


def test_the_lambda_door_works_it_off(copy, mails):
    queue = "sqs://eu-central-1/shop?endpoint=http://127.0.0.1:9"
    host = LambdaHost(copy.folder, {"TWOFOLD_QUEUE_URL": queue, "TWOFOLD_ROLE": "mailer"})
    arn = "arn:aws:sqs:eu-central-1:1:shop-mails"
    record = {"messageId": "m", "body": MAIL, "eventSource": "aws:sqs", "eventSourceARN": arn}
    assert host.invoke({"Records": [record]}) == {"batchItemFailures": []}
    host.close()
    assert mails() == ["somebody"]


def test_the_functions_door_works_it_off(copy, mails):
    port = free_port()
    environ = {
        "TWOFOLD_STORE_URL": "cosmos://127.0.0.1:9/shop",
        "TWOFOLD_QUEUE_URL": "storagequeue://127.0.0.1:9/account/shop",
        "TWOFOLD_ROLE": "mailer",
    }
    command = [sys.executable, "twofold/emulators/functions_host.py", ".", str(port)]
    with serving(command, port, environ, folder=copy.folder) as url:
        functions = httpx.get(f"{url}/admin/functions").json()
        assert {name: one["queueName"] for name, one in functions.items()} == {"queue_mails": "shop-mails"}
        assert httpx.post(f"{url}/admin/functions/queue_mails", json={"input": MAIL}).status_code == 200
    assert mails() == ["somebody"]


def test_the_aws_stack_has_it_with_twin_alarm_and_a_unit_that_alone_may_receive(copy, tmp_path):
    inputs = copy.deploy("aws", tmp_path)["inputs"]
    redrive = json.loads(inputs["aws:sqs/queue:Queue orders-dev-mails"]["redrivePolicy"])
    assert redrive["deadLetterTargetArn"].endswith("orders-dev-mails-poison")
    alarm = inputs["aws:cloudwatch/metricAlarm:MetricAlarm orders-dev-mails-poison"]
    assert alarm["dimensions"] == {"QueueName": "orders-dev-mails-poison"}
    mapping = inputs["aws:lambda/eventSourceMapping:EventSourceMapping orders-dev-mails"]
    assert mapping["functionName"].endswith("orders-dev-mailer:live")
    receivers = {
        name.rpartition("orders-dev-")[2]
        for name, resource in inputs.items()
        if name.startswith("aws:iam/rolePolicy")
        for statement in json.loads(resource["policy"])["Statement"]
        if "sqs:ReceiveMessage" in statement["Action"] and any(arn.endswith("-mails") for arn in statement["Resource"])
    }
    assert receivers == {"mailer"}
    visibility = inputs["aws:sqs/queue:Queue orders-dev-mails"]["visibilityTimeoutSeconds"]
    assert visibility >= 6 * inputs["aws:lambda/function:Function orders-dev-mailer"]["timeout"]


def test_the_azure_stack_has_it_with_twin_alarm_and_a_unit_that_alone_may_receive(copy, tmp_path):
    inputs = copy.deploy("azure", tmp_path)["inputs"]
    queues = {name.rpartition("orders-dev-")[2] for name in inputs if name.startswith("azure-native:storage:Queue ")}
    assert {"mails", "mails-poison"} <= queues
    alarm = inputs["azure-native:monitor:ScheduledQueryRule orders-dev-mails-poison"]
    assert '"/orders-mails-poison/messages"' in alarm["criteria"]["allOf"][0]["query"]
    granted = {
        name.split()[1]: assignment["roleDefinitionId"].rpartition("/")[2]
        for name, assignment in inputs.items()
        if name.startswith("azure-native:authorization:RoleAssignment") and "-mails" in name
    }
    contributor = "974c5e8b-45b9-4653-ba55-5f855dd0fb88"
    assert {name for name, role in granted.items() if role == contributor} == {"orders-dev-mailer-mails"}
    assert {name for name in granted if name.endswith("-poison")} == {"orders-dev-mailer-mails-poison"}
    settings = inputs["azure-native:web:WebApp orders-dev-mailer"]["siteConfig"]["appSettings"]
    assert {"name": "TWOFOLD_ROLE", "value": "mailer"} in settings
