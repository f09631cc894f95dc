"""The portability contract on the embedded default."""

import pytest

from tests.depth import examples
from twofold.local import document_store
from twofold.testing import DocumentStoreConformance, EventStoreConformance, IdempotencyConformance


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/store.db"


class _SQLite:
    commands = examples(100, 1000)

    @pytest.fixture(autouse=True)
    def _url(self, url):
        self.url = url

    async def open_driver(self):
        return document_store.from_url(self.url)


class TestDocuments(_SQLite, DocumentStoreConformance):
    """SQLite as a document store."""


class TestEvents(_SQLite, EventStoreConformance):
    """SQLite as an event store."""


class TestIdempotency(_SQLite, IdempotencyConformance):
    """SQLite under idempotency records."""
