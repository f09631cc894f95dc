"""Session fixtures: each gives a URL, its own emulator's or the one that the environment names."""

import os

import boto3
import pytest

from tests.emulators.process import free_port, ministack_command, needing, serving
from tools import dynamodb_local as local

REGION = "eu-central-1"
DUMMY = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}


@pytest.fixture(scope="session")
def ministack():
    port = free_port()
    environ = {"IOT_MTLS_ENABLED": "0", "BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port)}
    with serving(ministack_command(), port, environ) as url:
        yield url


@pytest.fixture(scope="session")
def dynamodb_local():
    port = free_port()
    with serving(needing(lambda: local.command(port)), port) as url:
        yield url


def create_tables(endpoint: str, prefix: str) -> None:
    """The two tables of a service, as its stack makes them."""
    keys = {} if os.environ.get("AWS_ACCESS_KEY_ID") else DUMMY
    client = boto3.client("dynamodb", region_name=REGION, endpoint_url=endpoint, **keys)
    for collection in ("events", "documents"):
        table = f"{prefix}-{collection}"
        client.create_table(
            TableName=table,
            KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "i", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in "pi"],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        )
        client.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 1})
    client.close()
