"""What an Azure unit reaches: its store, its vault and its identity as fakes, its queues on Azurite."""

import uuid

import httpx
import pytest

from tests.emulators.fixtures import storage_queues
from twofold.emulators.cosmos import CosmosFake
from twofold.emulators.event_grid import EventGridFake
from twofold.emulators.key_vault import KeyVaultFake
from twofold.emulators.managed_identity import ManagedIdentityFake


@pytest.fixture
def cosmos():
    with CosmosFake() as fake:
        fake.create("shop", "events", "documents", "leases")
        yield fake


@pytest.fixture
def queues(azurite):
    """The service's queues, in an account that other tests use too: hence a name of its own each time."""
    service, name = storage_queues(azurite), f"t{uuid.uuid4().hex[:8]}"
    found = {twin: service.create_queue(f"{name}-{twin}") for twin in ("payments", "payments-poison")}
    yield name, found
    for queue in found.values():
        queue.delete_queue()


@pytest.fixture
def topic():
    with EventGridFake() as fake:
        yield fake


@pytest.fixture
def environ(cosmos, azurite, queues, topic):
    with KeyVaultFake() as vault, ManagedIdentityFake() as identity:
        # The vault's operator gives the secret its value.
        httpx.put(
            f"https://{vault.host}/secrets/payment-api-key?api-version=7.5",
            json={"value": "k"},
            headers={"Authorization": "Bearer static-access-token"},
            verify=False,
        ).raise_for_status()
        yield identity.environ | {
            "TWOFOLD_STORE_URL": f"cosmos://{cosmos.host}/shop",
            "TWOFOLD_EVENTS_URL": f"eventgrid://{topic.host}",
            "TWOFOLD_SECRETS_URL": vault.url,
            "TWOFOLD_QUEUE_URL": f"storagequeue://{azurite.removeprefix('https://')}/{queues[0]}",
        }
