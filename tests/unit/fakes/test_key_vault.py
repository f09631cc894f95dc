"""The Key Vault fake refuses what the service refuses: each planted mistake is told in the service's shape."""

import ssl

import httpx
import pytest

from twofold.emulators.key_vault import KeyVaultFake
from twofold.emulators.managed_identity import TOKEN


@pytest.fixture(scope="module")
def fake():
    with KeyVaultFake() as started:
        yield started


@pytest.fixture
def client(fake):
    with httpx.Client(
        base_url=f"https://{fake.host}",
        verify=ssl.create_default_context(cafile=fake.pem),
        headers={"Authorization": f"Bearer {TOKEN}"},
        params={"api-version": "7.5"},
    ) as client:
        yield client


MISTAKES = {
    "no token": (401, "Unauthorized", ("GET", "/secrets/a", {"headers": {"Authorization": ""}})),
    "another's token": (401, "Unauthorized", ("GET", "/secrets/a", {"headers": {"Authorization": "Bearer x"}})),
    "no version": (400, "BadParameter", ("GET", "/secrets/a", {"params": {"api-version": ""}})),
    "an unknown version": (400, "BadParameter", ("GET", "/secrets/a", {"params": {"api-version": "1.0"}})),
    "a name with an underscore": (400, "BadParameter", ("PUT", "/secrets/a_b", {"json": {"value": "v"}})),
    "a name too long": (400, "BadParameter", ("PUT", "/secrets/" + "a" * 128, {"json": {"value": "v"}})),
    "no value": (400, "BadParameter", ("PUT", "/secrets/a", {"json": {}})),
    "a number": (400, "BadParameter", ("PUT", "/secrets/a", {"json": {"value": 1}})),
    "a value too large": (400, "BadParameter", ("PUT", "/secrets/a", {"json": {"value": "x" * 25601}})),
    "an unknown member": (400, "BadParameter", ("PUT", "/secrets/a", {"json": {"value": "v", "ttl": 1}})),
    "no JSON": (400, "BadParameter", ("PUT", "/secrets/a", {"content": b"{", "headers": {"Content-Type": "application/json"}})),
    "no media type": (415, "UnsupportedMediaType", ("PUT", "/secrets/a", {"content": b"{}"})),
    "an absent secret": (404, "SecretNotFound", ("GET", "/secrets/absent/", {})),
    "a put on a version": (405, "MethodNotAllowed", ("PUT", "/secrets/a/1", {"json": {"value": "v"}})),
    "a new value for a version": (400, "BadParameter", ("PATCH", "/secrets/a", {"json": {"value": "v"}})),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_refused(client, mistake):
    status, code, (method, path, more) = MISTAKES[mistake]
    answer = client.request(method, path, **more)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_a_disabled_secret_and_a_deleted_name_are_refused(client):
    assert client.put("/secrets/gone", json={"value": "v"}).status_code == 200
    assert client.patch("/secrets/gone", json={"attributes": {"enabled": False}}).status_code == 200
    answer = client.get("/secrets/gone/").json()["error"]
    assert answer["innererror"]["code"] == "SecretDisabled"
    assert client.delete("/secrets/gone").status_code == 200
    answer = client.put("/secrets/gone", json={"value": "v"})
    assert answer.status_code == 409 and answer.json()["error"]["innererror"]["code"] == "ObjectIsDeletedButRecoverable"
