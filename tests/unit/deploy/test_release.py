"""Artifacts in the container of releases: on Azurite with the real SDK and an Entra token. Refusals: see test_blobs.py."""

import hashlib
import time
import uuid

import pytest
from azure.storage.blob import BlobServiceClient, ContainerClient

from tests.fakes.credential import SyncCredential
from twofold.deploy.azure.release import keep
from twofold.emulators.azurite import KEY
from twofold.emulators.managed_identity import storage_token


@pytest.fixture
def container(azurite_blobs):
    name = f"releases-{uuid.uuid4().hex[:8]}"
    BlobServiceClient(azurite_blobs, KEY, connection_verify=False).create_container(name)  # the stack's work
    url, credential = f"{azurite_blobs}/{name}", SyncCredential(storage_token())
    with ContainerClient.from_container_url(url, credential, connection_verify=False) as client:
        yield client


def artifact(folder, text):
    data = text.encode()
    (folder / "a.zip").write_bytes(data)
    return folder / "a.zip", hashlib.sha256(data).hexdigest()


def test_the_last_ones_are_kept_and_can_be_read_back(container, tmp_path):
    digests = []
    for number in range(4):
        path, digest = artifact(tmp_path, f"artifact {number}")
        digests.append(digest)
        assert keep(container, path, digest, 3)[0] == f"{digest}.zip"
        time.sleep(1.1)  # a blob's time has whole seconds
    assert {blob.name for blob in container.list_blobs()} == {f"{digest}.zip" for digest in digests[1:]}
    assert container.download_blob(f"{digests[1]}.zip").readall() == b"artifact 1"


def test_going_back_makes_an_earlier_one_the_last(container, tmp_path):
    first, digest = artifact(tmp_path, "first")
    keep(container, first, digest, 2)
    time.sleep(1.1)
    second, other = artifact(tmp_path, "second")
    keep(container, second, other, 2)
    time.sleep(1.1)
    first, digest = artifact(tmp_path, "first")
    assert keep(container, first, digest, 2) == [f"{digest}.zip", f"{other}.zip"]
    # Deployed within the same second: the one just written stays.
    assert keep(container, second, other, 1) == [f"{other}.zip"]


def test_one_kept_is_the_one_deployed_whatever_its_second(container, tmp_path):
    for number in range(3):
        path, digest = artifact(tmp_path, f"quick {number}")
        assert keep(container, path, digest, 1) == [f"{digest}.zip"]
