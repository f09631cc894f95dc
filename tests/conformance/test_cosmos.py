"""The portability contract on Cosmos DB: the strict fake, or the account that `TWOFOLD_TEST_COSMOS` names.

An account, `https://<account>.documents.azure.com`, is entered with azure-identity's default credential and has a database
`twofold-test` with the containers `events` and `documents` (partition key `/p`, default ttl -1). An emulator, on loopback, is
entered with the key `TWOFOLD_TEST_COSMOS_KEY`, or any, and is given that database.
"""

import base64
import os
from urllib.parse import urlsplit

import pytest
from azure.cosmos import CosmosClient, PartitionKey

from tests.depth import examples
from tests.fakes.credential import StaticCredential
from twofold.azure import document_store
from twofold.emulators.cosmos import CosmosFake
from twofold.testing import DocumentStoreConformance, EventStoreConformance, IdempotencyConformance

EXTERNAL = os.environ.get("TWOFOLD_TEST_COSMOS")
DATABASE, CONTAINERS = "twofold-test", ("events", "documents")


@pytest.fixture(scope="module")
def account():
    """The store's URL and the credential to enter it with; None is azure-identity's default."""
    if not EXTERNAL:
        with CosmosFake() as fake:
            yield fake.create(DATABASE, *CONTAINERS), StaticCredential()
        return
    parts = urlsplit(EXTERNAL)
    url = f"cosmos://{parts.netloc}/{DATABASE}" + ("?tls=0" if parts.scheme == "http" else "")
    if parts.hostname not in ("127.0.0.1", "localhost"):
        yield url, None
        return
    key = os.environ.get("TWOFOLD_TEST_COSMOS_KEY") or base64.b64encode(b"any").decode()
    with CosmosClient(EXTERNAL, key) as client:
        database = client.create_database_if_not_exists(DATABASE)
        for container in CONTAINERS:
            database.create_container_if_not_exists(container, PartitionKey("/p"), default_ttl=-1)
    yield url, key


class _Cosmos:
    commands = examples(100, 1000)

    @pytest.fixture(autouse=True)
    def _account(self, account):
        self.url, self.credential = account

    async def open_driver(self):
        return document_store.from_url(self.url, self.credential)


class TestDocuments(_Cosmos, DocumentStoreConformance):
    """Cosmos DB as a document store."""


class TestEvents(_Cosmos, EventStoreConformance):
    """Cosmos DB as an event store."""


class TestIdempotency(_Cosmos, IdempotencyConformance):
    """Cosmos DB under idempotency records."""
