"""The portability contract on Cosmos DB: the strict fake, or the account that `TWOFOLD_TEST_COSMOS` names.

An external account is named as `https://<account>.documents.azure.com`, has a database `twofold-test` with the containers
`events` and `documents` (partition key `/p`, default ttl -1), and is entered with azure-identity's default credential.
"""

import os
from urllib.parse import urlsplit

import pytest

from tests.fakes.cosmos import CosmosFake
from tests.fakes.credential import StaticCredential
from twofold.azure import document_store
from twofold.testing import DocumentStoreConformance, EventStoreConformance

EXTERNAL = os.environ.get("TWOFOLD_TEST_COSMOS")


@pytest.fixture(scope="module")
def store_url():
    if EXTERNAL:
        yield f"cosmos://{urlsplit(EXTERNAL).netloc}/twofold-test"
        return
    with CosmosFake() as fake:
        yield fake.create("twofold-test", "events", "documents")


class _Cosmos:
    @pytest.fixture(autouse=True)
    def _url(self, store_url):
        self.url = store_url

    async def open_driver(self):
        return document_store.open(self.url, None if EXTERNAL else StaticCredential())


class TestDocuments(_Cosmos, DocumentStoreConformance):
    """Cosmos DB as a document store."""


class TestEvents(_Cosmos, EventStoreConformance):
    """Cosmos DB as an event store."""
