"""A secret is rotated under load, without a deployment or a restart, on each vault: no payment fails."""

import asyncio
import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from api.manifest import SERVICE
from api.orders.commands import Line, PlaceOrder
from api.orders.handlers import change, load, place_order
from api.orders.payment import API_KEY, pay
from tests.copies.copy import ROOT
from tests.emulators.fixtures import REGION
from twofold.bootstrap import bootstrap
from twofold.emulators.key_vault import KeyVaultFake
from twofold.emulators.managed_identity import ManagedIdentityFake
from twofold.emulators.server import Answer, FakeServer
from twofold.portable.message import Message
from twofold.settings import Settings

ORDER = PlaceOrder(customer_id="c-1", currency="EUR", lines=[Line(sku="A1", quantity=1, unit_price=100)])


class Provider(FakeServer):
    """A payment provider that takes the keys in `keys`, as one does while a rotation's two keys overlap."""

    def __init__(self, *keys):
        super().__init__(tls=False)
        self.keys, self.refused, self.charged = set(keys), [], {}

    def serve(self, method, path, query, headers, body):
        key = headers["Authorization"].removeprefix("Bearer ")
        if key not in self.keys:
            self.refused.append(key)
            return Answer(401, {})
        self.charged.setdefault(headers["Idempotency-Key"], key)
        return Answer(200, {"status": "captured", "reference": headers["Idempotency-Key"]})


@pytest.fixture(params=["file", "secretsmanager", "keyvault"])
def vault(request, tmp_path):
    """The settings that name a vault, and what a login needs."""
    if request.param == "file":
        yield {"TWOFOLD_SECRETS_URL": f"file:///{tmp_path}/secrets"}
    elif request.param == "secretsmanager":
        endpoint = request.getfixturevalue("ministack")
        yield {"TWOFOLD_SECRETS_URL": f"secretsmanager://{REGION}/t{uuid.uuid4().hex[:8]}?endpoint={endpoint}"}
    else:
        with KeyVaultFake() as fake, ManagedIdentityFake() as identity:
            yield identity.environ | {"TWOFOLD_SECRETS_URL": fake.url}


def set_secret(value, environ):
    """As an operator does."""
    done = subprocess.run(
        [Path(sys.executable).with_name("twofold"), "secret", "set", API_KEY],
        cwd=ROOT, env=os.environ | environ, input=value + "\n", capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert value not in done.stdout + done.stderr


async def test_no_payment_fails_while_the_key_is_rotated(vault, tmp_path, monkeypatch):
    for name, value in vault.items():
        monkeypatch.setenv(name, value)
    with Provider("first-key") as provider:
        set_secret("first-key", vault)
        environ = {
            "TWOFOLD_STORE_URL": f"sqlite:///{tmp_path}/t.db", "TWOFOLD_APP_PAYMENT_URL": f"http://{provider.host}",
            "TWOFOLD_SECRETS_URL": vault["TWOFOLD_SECRETS_URL"],
        }  # fmt: skip
        services = bootstrap(Settings.load(environ, SERVICE, tmp_path), SERVICE)
        paid: list[str] = []
        stop = asyncio.Event()

        async def load_of_payments():
            while not stop.is_set():
                order_id = str(uuid.uuid4())
                await place_order(services, order_id, ORDER)
                await change(services, order_id, lambda order: order.request_payment())
                await pay(services, Message("orders.pay", {"order": order_id, "request": 1}))
                paid.append(order_id)

        async def some_more(count=15):
            wanted = len(paid) + count
            while len(paid) < wanted:
                assert not any(worker.done() for worker in workers), [worker.exception() for worker in workers]
                await asyncio.sleep(0.01)

        workers = [asyncio.create_task(load_of_payments()) for _ in range(4)]
        await some_more()
        provider.keys = {"first-key", "second-key"}  # the provider issues the second, both work for a while
        await asyncio.to_thread(set_secret, "second-key", vault)
        await some_more()
        assert provider.refused == []
        provider.keys = {"second-key"}  # the first ends
        await some_more(30)
        stop.set()
        await asyncio.gather(*workers)  # none of them raised
        statuses = {(await load(services, order_id)).status for order_id in paid}
        await services.close()
    assert statuses == {"paid"} and len(provider.charged) == len(paid)
    assert set(provider.charged.values()) == {"first-key", "second-key"}
    # The cached key was refused, at most once to each worker, and then read anew.
    assert set(provider.refused) == {"first-key"} and 1 <= len(provider.refused) <= len(workers)
