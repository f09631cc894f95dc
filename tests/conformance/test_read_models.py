"""Scans, read models and their rebuild on every backend, each with tables of its own: a replay reads every stream."""

import uuid

import pytest

from tests.emulators.fixtures import REGION, create_tables
from tests.fakes.credential import StaticCredential
from twofold.aws import document_store as dynamodb
from twofold.azure import document_store as cosmos
from twofold.emulators.cosmos import CosmosFake
from twofold.local import document_store as sqlite
from twofold.testing import ReadModelConformance


class TestSQLite(ReadModelConformance):
    """The embedded default."""

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path):
        self.folder = tmp_path

    async def open_driver(self):
        return sqlite.from_url(f"sqlite:///{self.folder}/store.db")


class TestDynamoDB(ReadModelConformance):
    """DynamoDB as strict as AWS, on ministack and on moto."""

    @pytest.fixture(autouse=True, params=["dynamodb", "dynamodb_moto"])
    def _tables(self, request):
        endpoint, prefix = request.getfixturevalue(request.param), f"t{uuid.uuid4().hex[:8]}"
        create_tables(endpoint, prefix)
        self.url = f"dynamodb://{REGION}/{prefix}?endpoint={endpoint}"

    async def open_driver(self):
        return dynamodb.from_url(self.url)


class TestCosmos(ReadModelConformance):
    """The strict fake."""

    @pytest.fixture(autouse=True)
    def _account(self):
        with CosmosFake() as fake:
            self.url = fake.create("shop", "events", "documents")
            yield

    async def open_driver(self):
        return cosmos.from_url(self.url, StaticCredential())
