"""The portability contract of queues: SQLite, SQS on ministack, Storage Queues on Azurite, or what the environment names.

`TWOFOLD_TEST_SQS` and `TWOFOLD_TEST_STORAGEQUEUE` are URLs; the suite makes the queues it needs and deletes them. An emulator on
127.0.0.1 is entered as Azurite is, a real account with azure-identity's default credential.
"""

import os
from urllib.parse import urlsplit

import boto3
import pytest

from tests.emulators.fixtures import DUMMY, REGION, storage_queues
from tests.fakes.credential import StaticCredential
from twofold.aws import message_queue as sqs
from twofold.azure import message_queue as storage
from twofold.emulators.managed_identity import storage_token
from twofold.local import message_queue as local
from twofold.portable.message_queue import dead_letter_name
from twofold.testing import MessageQueueConformance


class TestSQLite(MessageQueueConformance):
    """The embedded queue."""

    makes_queues = True

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path):
        self.folder = tmp_path

    async def open_driver(self):
        return local.from_url(f"sqlite:///{self.folder}/queues.db")


class TestSQS(MessageQueueConformance):
    """SQS."""

    @pytest.fixture(autouse=True)
    def _queues(self, request):
        self.endpoint = os.environ.get("TWOFOLD_TEST_SQS") or request.getfixturevalue("ministack")
        keys = {} if os.environ.get("AWS_ACCESS_KEY_ID") else DUMMY
        client, self.made = boto3.client("sqs", region_name=REGION, endpoint_url=self.endpoint, **keys), []
        self.client = client
        yield
        for url in self.made:
            client.delete_queue(QueueUrl=url)

    async def open_driver(self):
        for name in (self.name, dead_letter_name(self.name)):
            self.made.append(self.client.create_queue(QueueName=f"t-{name}")["QueueUrl"])
        return sqs.from_url(f"sqs://{REGION}/t?endpoint={self.endpoint}")


class TestStorageQueue(MessageQueueConformance):
    """Azure Storage Queues, entered with an Entra token."""

    @pytest.fixture(autouse=True)
    def _queues(self, request):
        self.url = os.environ.get("TWOFOLD_TEST_STORAGEQUEUE") or request.getfixturevalue("azurite")
        self.service, self.made = storage_queues(self.url), []
        yield
        for queue in self.made:
            queue.delete_queue()

    async def open_driver(self):
        for name in (self.name, dead_letter_name(self.name)):
            self.made.append(self.service.create_queue(f"t-{name}"))
        parts = urlsplit(self.url)
        credential = StaticCredential(storage_token()) if parts.hostname == "127.0.0.1" else None
        return storage.from_url(f"storagequeue://{parts.netloc}{parts.path.rstrip('/')}/t", credential)
