"""Session fixtures: each gives a URL, its own emulator's or the one that the environment names."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.emulators.tool import needing
from tools import redis_server
from twofold.emulators import aws
from twofold.emulators import azurite as azurite_tool
from twofold.emulators import ministack as emulator
from twofold.emulators.dynamodb import DynamoDB
from twofold.emulators.process import free_port, serving

if TYPE_CHECKING:
    from azure.storage.queue import QueueServiceClient

REGION = os.environ.get("TWOFOLD_TEST_REGION", "eu-central-1")
DUMMY = emulator.KEYS


@pytest.fixture(scope="session")
def ministack():
    port = free_port()
    with serving(emulator.command(), port, emulator.environ(port)) as url:
        yield url


@contextmanager
def moto_serving() -> Iterator[str]:
    """moto's server, a second opinion of DynamoDB."""
    port = free_port()
    command = [str(Path(sys.executable).with_name("moto_server")), "-H", "127.0.0.1", "-p", str(port)]
    with serving(command, port) as url:
        yield url


@pytest.fixture(scope="session")
def moto():
    with moto_serving() as url:
        yield url


@pytest.fixture(scope="session")
def dynamodb(ministack):
    """DynamoDB as strict as AWS, on ministack."""
    with DynamoDB(ministack, region=REGION) as server:
        yield server.url


@pytest.fixture(scope="session")
def dynamodb_moto(moto):
    """DynamoDB as strict as AWS, on moto's server."""
    with DynamoDB(moto, region=REGION) as server:
        yield server.url


@pytest.fixture(scope="session")
def azurite_services():
    """The URLs of `queue` and `blob`, the account's name in their paths, and the `certificate` to trust.

    They take the key, and Entra tokens as Azure does.
    """
    needing(azurite_tool.fetch)
    with azurite_tool.account() as account:
        yield {"queue": account.queue, "blob": account.blob, "certificate": account.certificate}


@pytest.fixture(scope="session")
def azurite(azurite_services):
    """The queue service's URL."""
    return azurite_services["queue"]


@pytest.fixture(scope="session")
def azurite_blobs(azurite_services):
    """The blob service's URL."""
    return azurite_services["blob"]


@pytest.fixture(scope="session")
def redis_url():
    """A Redis of its own, or what `TWOFOLD_TEST_REDIS` names (`redis://host:port`)."""
    if external := os.environ.get("TWOFOLD_TEST_REDIS"):
        yield external
        return
    port = free_port()
    with serving(needing(lambda: redis_server.command(port)), port) as url:
        yield url.replace("http:", "redis:")


def storage_queues(url: str) -> "QueueServiceClient":
    """A client that may make queues, on Azurite or, with azure-identity's default credential, on a real account."""
    # Importing the SDKs takes seconds, and every run of a test imports this file.
    from azure.identity import DefaultAzureCredential
    from azure.storage.queue import QueueServiceClient

    if urlsplit(url).hostname != "127.0.0.1":
        return QueueServiceClient(url, DefaultAzureCredential())
    return QueueServiceClient(url, azurite_tool.KEY, connection_verify=False)


def create_tables(endpoint: str, prefix: str) -> None:
    """The two tables of a service, as its stack makes them."""
    client = _dynamodb(endpoint)
    aws.create_tables(client, prefix)
    client.close()


def delete_tables(endpoint: str, prefix: str) -> None:
    """What `create_tables` made, where somebody pays for it."""
    client = _dynamodb(endpoint)
    for collection in ("events", "documents"):
        client.delete_table(TableName=f"{prefix}-{collection}")
    client.close()


def _dynamodb(endpoint):
    import boto3

    keys = {} if urlsplit(endpoint).hostname != "127.0.0.1" else DUMMY
    return boto3.client("dynamodb", region_name=REGION, endpoint_url=endpoint, **keys)
