"""What an Azure unit reaches: its store, its vault and its identity as fakes, its queues on Azurite. One for a file."""

import uuid
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import pytest

from tests.emulators.fixtures import storage_queues
from twofold.emulators.cosmos import CosmosFake
from twofold.emulators.event_grid import EventGridFake
from twofold.emulators.key_vault import KeyVaultFake
from twofold.emulators.managed_identity import ManagedIdentityFake


@dataclass
class Surroundings:
    """`queues` by their names without what this place's begin with; `environ` names all of it."""

    cosmos: CosmosFake
    queues: dict
    topic: EventGridFake
    environ: dict


@contextmanager
def surroundings(azurite):
    """In an account that other tests use too: hence a name of its own each time."""
    service, name = storage_queues(azurite), f"t{uuid.uuid4().hex[:8]}"
    queues = {twin: service.create_queue(f"{name}-{twin}") for twin in ("payments", "payments-poison")}
    with CosmosFake() as cosmos, EventGridFake() as topic, KeyVaultFake() as vault, ManagedIdentityFake() as identity:
        cosmos.create("shop", "events", "documents", "leases")
        # The vault's operator gives the secret its value.
        httpx.put(
            f"https://{vault.host}/secrets/payment-api-key?api-version=7.5",
            json={"value": "k"},
            headers={"Authorization": "Bearer static-access-token"},
            verify=False,
        ).raise_for_status()
        environ = identity.environ | {
            "TWOFOLD_STORE_URL": f"cosmos://{cosmos.host}/shop",
            "TWOFOLD_EVENTS_URL": f"eventgrid://{topic.host}",
            "TWOFOLD_SECRETS_URL": vault.url,
            "TWOFOLD_QUEUE_URL": f"storagequeue://{azurite.removeprefix('https://')}/{name}",
        }
        yield Surroundings(cosmos, queues, topic, environ)
    for queue in queues.values():
        queue.delete_queue()


@pytest.fixture(scope="module")
def place(azurite):
    with surroundings(azurite) as place:
        yield place


@pytest.fixture
def cosmos(place):
    return place.cosmos


@pytest.fixture
def queues(place):
    return place.queues


@pytest.fixture
def topic(place):
    return place.topic


@pytest.fixture
def environ(place):
    return place.environ
