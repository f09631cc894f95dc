"""The portability contract on DynamoDB, as strict as AWS: on ministack and on moto, or what `TWOFOLD_TEST_DYNAMODB` names."""

import os
import uuid

import pytest

from tests.depth import examples
from tests.emulators.fixtures import REGION, create_tables, delete_tables
from twofold.aws import document_store
from twofold.testing import DocumentStoreConformance, EventStoreConformance, IdempotencyConformance

EXTERNAL = os.environ.get("TWOFOLD_TEST_DYNAMODB")
BACKENDS = ["external"] if EXTERNAL else ["dynamodb", "dynamodb_moto"]


@pytest.fixture(scope="module", params=BACKENDS)
def store_url(request):
    endpoint = EXTERNAL or request.getfixturevalue(request.param)
    prefix = f"t{uuid.uuid4().hex[:8]}"
    create_tables(endpoint, prefix)
    yield f"dynamodb://{REGION}/{prefix}?endpoint={endpoint}"
    if EXTERNAL:
        delete_tables(endpoint, prefix)


class _DynamoDB:
    commands = examples(100, 1000)

    @pytest.fixture(autouse=True)
    def _url(self, request, store_url):
        self.url = store_url
        if "moto" in request.node.name:  # the second opinion answers more slowly
            self.commands = 200

    async def open_driver(self):
        return document_store.from_url(self.url)


class TestDocuments(_DynamoDB, DocumentStoreConformance):
    """DynamoDB as a document store."""


class TestEvents(_DynamoDB, EventStoreConformance):
    """DynamoDB as an event store."""


class TestIdempotency(_DynamoDB, IdempotencyConformance):
    """DynamoDB under idempotency records."""
