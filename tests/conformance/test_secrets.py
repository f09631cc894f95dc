"""The portability contract of secrets: files, Secrets Manager, Key Vault."""

import os
import uuid
from urllib.parse import urlsplit

import pytest

from tests.emulators.fixtures import REGION
from tests.fakes.credential import StaticCredential
from twofold.aws import secret_store as aws
from twofold.azure import secret_store as azure
from twofold.emulators.key_vault import KeyVaultFake, refuse
from twofold.emulators.server import Answer, FakeServer
from twofold.errors import SecretRefused, SecretsUnavailable
from twofold.local import secret_store as local
from twofold.portable.secret_store import SecretStore
from twofold.testing import SecretStoreConformance


class TestFiles(SecretStoreConformance):
    """A folder as a vault."""

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path):
        self.folder = tmp_path

    async def open_driver(self):
        return local.from_url(f"file:///{self.folder}")


class TestSecretsManager(SecretStoreConformance):
    """Secrets Manager: ministack's, or what `TWOFOLD_TEST_SECRETSMANAGER` names."""

    @pytest.fixture(autouse=True)
    def _endpoint(self, request):
        self.endpoint = os.environ.get("TWOFOLD_TEST_SECRETSMANAGER") or request.getfixturevalue("ministack")

    async def open_driver(self):
        return aws.from_url(f"secretsmanager://{REGION}/t{uuid.uuid4().hex[:8]}?endpoint={self.endpoint}")


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
        return azure.from_url(self.url, self.credential)


class SecretsManager(FakeServer):
    """Answers with an error alone, the injected one."""

    def serve(self, method, path, raw_query, headers, body):
        raise Answer(500)


def aws_refusal(code):
    return Answer(400, {"__type": code, "message": "no"}, {"Content-Type": "application/x-amz-json-1.1"})


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (aws_refusal("AccessDeniedException"), SecretRefused), (aws_refusal("InvalidRequestException"), SecretRefused),
        (aws_refusal("ExpiredTokenException"), SecretsUnavailable), (refuse(403, "Forbidden", "no"), SecretRefused),
        (refuse(403, "Forbidden", "no", "SecretDisabled"), SecretRefused), (refuse(400, "BadParameter", "no"), SecretsUnavailable),
    ],
    ids=["aws-denied", "aws-deleted", "aws-login", "azure-denied", "azure-disabled", "azure-other"],
)  # fmt: skip
async def test_a_secret_that_is_refused_is_no_vault_that_is_down(answer, error, monkeypatch):
    """Else whoever may not read one secret would hold up all that wait for what is down."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    with KeyVaultFake() as vault, SecretsManager(tls=False) as manager:
        fake, driver = vault, azure.from_url(vault.url, StaticCredential())
        if "__type" in answer.body:
            fake, driver = manager, aws.from_url(f"secretsmanager://{REGION}/t?endpoint=http://{manager.host}")
        fake.inject(1, answer, when=lambda method, path, headers: "Authorization" in headers)
        with pytest.raises(error):
            await SecretStore(driver).get("a")
        assert fake.unspent() == 0
        await driver.close()


async def test_a_value_that_is_known_is_served_while_it_is_refused():
    with KeyVaultFake() as vault:
        vault.set("a", "v")
        store = SecretStore(azure.from_url(vault.url, StaticCredential()), ttl=0)
        assert await store.get("a") == "v"
        vault.inject(1, refuse(403, "Forbidden", "no"))
        assert await store.get("a") == "v" and vault.unspent() == 0
        await store.close()
