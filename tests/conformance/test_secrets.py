"""The portability contract of secrets: files, Secrets Manager, Key Vault."""

import os
import uuid
from urllib.parse import urlsplit

import pytest

from tests.emulators.fixtures import REGION
from tests.fakes.credential import StaticCredential
from twofold.aws import secret_store as aws
from twofold.azure import secret_store as azure
from twofold.emulators.key_vault import KeyVaultFake
from twofold.local import secret_store as local
from twofold.testing import SecretStoreConformance


class TestFiles(SecretStoreConformance):
    """A folder as a vault."""

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path):
        self.folder = tmp_path

    async def open_driver(self):
        return local.open(f"file:///{self.folder}")


class TestSecretsManager(SecretStoreConformance):
    """Secrets Manager: ministack's, or what `TWOFOLD_TEST_SECRETSMANAGER` names."""

    @pytest.fixture(autouse=True)
    def _endpoint(self, request):
        self.endpoint = os.environ.get("TWOFOLD_TEST_SECRETSMANAGER") or request.getfixturevalue("ministack")

    async def open_driver(self):
        return aws.open(f"secretsmanager://{REGION}/t{uuid.uuid4().hex[:8]}?endpoint={self.endpoint}")


@pytest.fixture(scope="module")
def vault():
    if external := os.environ.get("TWOFOLD_TEST_KEYVAULT"):
        local = urlsplit(external).hostname in ("127.0.0.1", "localhost")
        yield external.replace("https://", "keyvault://"), StaticCredential() if local else None
        return
    with KeyVaultFake() as fake:
        yield fake.url, StaticCredential()


class TestKeyVault(SecretStoreConformance):
    """Key Vault: the strict fake, or the vault whose URL `TWOFOLD_TEST_KEYVAULT` is, entered with the default login."""

    @pytest.fixture(autouse=True)
    def _vault(self, vault):
        self.url, self.credential = vault

    async def open_driver(self):
        return azure.open(self.url, self.credential)
