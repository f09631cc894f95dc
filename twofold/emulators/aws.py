"""A service on this machine as on AWS: its tables, queues, secrets and bus on ministack, its handler under Lambda's runtime client.

Known divergences, beside those of `ministack.py` and `lambda_host.py`: all roles in one function; a stream's batch and a
queue's go to it one at a time; a queue's message is hidden for the unit's time, not for six times as long.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from twofold.emulators import ministack
from twofold.emulators.dev_environment import SERVED, DevEnvironment, Emulator, Timer
from twofold.emulators.dynamodb import DynamoDB
from twofold.emulators.dynamodb_stream import DynamoDBStream, StreamDelivery
from twofold.emulators.lambda_host import LambdaHost
from twofold.emulators.ministack import KEYS, REGION, client
from twofold.emulators.process import Server, free_port
from twofold.manifest import ServiceManifest

INSTANCES = 2
"""Of the function: one request at a time each, and a page asks for more than one."""
IMPORTED = ("awslambdaric.bootstrap", "boto3", "mangum")
SOURCE = f"arn:aws:sqs:{REGION}:000000000000:"

type Invoke = Callable[[Mapping[str, Any]], Any]


@contextmanager
def environment(
    manifest: ServiceManifest, root: Path, port: int, secrets: Mapping[str, str], log: int | None = None
) -> Iterator[DevEnvironment]:
    """The service under 127.0.0.1:port until the context ends. Raises TwofoldError; OSError when the port is taken."""
    account = free_port()
    with (
        closing(Server(ministack.command(), account, ministack.environ(account))) as server,
        DynamoDB(server.url) as database,
    ):
        endpoint, prefix = server.url, f"{manifest.name}-dev"
        environ = provision(manifest, endpoint, database.url, prefix, secrets)
        # The SDK's own search for credentials would ask the network.
        environ |= {name.upper(): value for name, value in KEYS.items()}
        host = LambdaHost(root, environ, port=port, instances=INSTANCES, modules=[*SERVED, *IMPORTED], log=log)
        sources: list[Callable[[], int]] = []
        feed = StreamDelivery(partial(DynamoDBStream, database.url, f"{prefix}-events"), host.invoke)
        if manifest.reads_feed:
            sources.append(feed)
        sources += [QueueDelivery(endpoint, f"{prefix}-{spec.name}", host.invoke) for spec in manifest.queues]
        for spec in manifest.schedules:
            event = {"twofold": {"schedule": spec.name}}
            sources.append(Timer(spec, partial(host.invoke, event)))

        def restore() -> None:
            provision(manifest, endpoint, database.url, prefix, secrets)
            feed.begin()

        emulator = Emulator("ministack", server, restore, "what its tables and queues held is lost")
        try:
            parts = _parts(manifest, endpoint, database.url, prefix)
            yield DevEnvironment(host.url, host, parts, environ, sources, [emulator])
        finally:
            host.close()


def provision(
    manifest: ServiceManifest, endpoint: str, database: str, prefix: str, secrets: Mapping[str, str]
) -> dict[str, str]:
    """Makes what the manifest names, as its stack does, and returns the settings that tell the service of it. DynamoDB
    is at `database`."""
    environ = {}
    if manifest.blocks:
        create_tables(client("dynamodb", database), prefix, manifest.store_collections)
        environ["TWOFOLD_STORE_URL"] = f"dynamodb://{REGION}/{prefix}?endpoint={database}"
    if manifest.queues:
        queues = client("sqs", endpoint)
        for spec in manifest.queues:
            for name in (spec.name, f"{spec.name}-poison"):
                queues.create_queue(QueueName=f"{prefix}-{name}")
        environ["TWOFOLD_QUEUE_URL"] = f"sqs://{REGION}/{prefix}?endpoint={endpoint}"
    if manifest.publishes:
        client("events", endpoint).create_event_bus(Name=prefix)
        environ["TWOFOLD_EVENTS_URL"] = f"eventbridge://{REGION}/{prefix}?endpoint={endpoint}"
    if manifest.secrets:
        vault = client("secretsmanager", endpoint)
        for name, value in secrets.items():
            vault.create_secret(Name=f"{prefix}/{name}", SecretString=value)
        environ["TWOFOLD_SECRETS_URL"] = f"secretsmanager://{REGION}/{prefix}?endpoint={endpoint}"
    return environ


def create_tables(database: Any, prefix: str, collections: Iterable[str] = ("events", "documents")) -> None:
    """The tables of a service, as its stack makes them."""
    for collection in collections:
        table = f"{prefix}-{collection}"
        database.create_table(
            TableName=table,
            KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "i", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in "pi"],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        )
        database.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 1})


class QueueDelivery:
    """What the queue's event source mapping does: up to ten messages to the function, and deletes what did not fail."""

    def __init__(self, endpoint: str, queue: str, invoke: Invoke) -> None:
        self._queues, self._name, self._invoke = client("sqs", endpoint), queue, invoke
        self._url = self._queues.get_queue_url(QueueName=queue)["QueueUrl"]

    def __call__(self) -> int:
        answer = self._queues.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10, VisibilityTimeout=60)
        messages = answer.get("Messages", [])
        if not messages:
            return 0
        failed = {one["itemIdentifier"] for one in self._invoke(queue_event(self._name, messages))["batchItemFailures"]}
        for message in messages:
            if message["MessageId"] not in failed:
                self._queues.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return len(messages) - len(failed)


def queue_event(queue: str, messages: list[Any]) -> dict[str, Any]:
    """The event that Lambda makes of a queue's messages."""
    return {
        "Records": [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": {"ApproximateReceiveCount": "1"},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": SOURCE + queue,
                "awsRegion": REGION,
            }
            for message in messages
        ]
    }


def _parts(manifest: ServiceManifest, endpoint: str, database: str, prefix: str) -> list[tuple[str, str]]:
    there = f"ministack {endpoint}"
    parts = [("door", f"awslambdaric, {INSTANCES} instances, HTTP API events")]
    if manifest.blocks:
        parts.append(("store", f"DynamoDB {prefix}-… at {database}, as strict as AWS, on {there}"))
    if manifest.reads_feed:
        parts.append(("feed", f"stream of {prefix}-events"))
    parts += [("queue", f"SQS {prefix}-{spec.name} and its -poison on {there}") for spec in manifest.queues]
    if manifest.publishes:
        parts.append(("events", f"EventBridge {prefix} on {there}"))
    return parts + [("secret", f"Secrets Manager {prefix}/{spec.name} on {there}") for spec in manifest.secrets]
