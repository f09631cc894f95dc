"""Secrets planted wherever a deployer's machine has some are found nowhere afterwards: state, outputs, inputs, logs, artifact."""

import json
import logging
import zipfile

import pytest

from api.manifest import SERVICE
from api.orders.handlers import change, place_order
from api.orders.payment import API_KEY, PaymentUnavailable, pay
from tests.copies.copy import Copy
from tests.integration.test_rotation import ORDER, Provider
from twofold.bootstrap import bootstrap
from twofold.portable.message import Message
from twofold.settings import Settings

CANARY = "canary-5d2f0c9e"
PLANTED = (
    f".data/secrets/{API_KEY}", ".env", "api/.env", "api/.secrets/key", "local.settings.json", "stacks/.env", "payment-api-key.txt",
)  # fmt: skip
VARIABLES = (
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AZURE_CLIENT_SECRET",
    "ARM_CLIENT_SECRET",
    "PAYMENT_API_KEY",
)


def test_a_deployment_takes_no_secret_along(tmp_path, monkeypatch, cloud):
    copy, state = Copy(tmp_path / "service"), tmp_path / "state"
    for name in PLANTED:
        copy.write(name, f'{{"key": "{CANARY}-file"}}')
    for name in VARIABLES:
        monkeypatch.setenv(name, f"{CANARY}-variable")
    done = copy.deploy(cloud, state)
    assert done["up"]["create"] > 20 and done["outputs"]["secrets_url"] and done["inputs"]
    assert CANARY not in json.dumps(done)
    files = [path for path in state.rglob("*") if path.is_file()]
    assert any(path.name == f"dev-{cloud}.json" for path in files)
    assert not [path for path in files if CANARY.encode() in path.read_bytes()]
    [artifact] = (copy.folder / ".build").glob(f"*-{cloud}-*.zip")
    with zipfile.ZipFile(artifact) as archive:
        assert not [name for name in archive.namelist() if CANARY.encode() in archive.read(name)]


async def test_no_log_tells_a_key_that_was_used_or_refused(tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    with Provider(CANARY) as provider:
        environ = {
            "TWOFOLD_STORE_URL": f"sqlite:///{tmp_path}/t.db", "TWOFOLD_SECRETS_URL": f"file:///{tmp_path}/secrets",
            "TWOFOLD_APP_PAYMENT_URL": f"http://{provider.host}",
        }  # fmt: skip
        services = bootstrap(Settings.load(environ, SERVICE, tmp_path), SERVICE)
        await services.secrets.set(API_KEY, CANARY)
        for keys in ({CANARY}, set()):
            provider.keys = keys
            await place_order(services, f"o-{len(keys)}", ORDER)
            await change(services, f"o-{len(keys)}", lambda order: order.request_payment())
            work = pay(services, Message("orders.pay", {"order": f"o-{len(keys)}", "request": 1}))
            if keys:
                await work
            else:
                with pytest.raises(PaymentUnavailable) as failed:
                    await work
                assert CANARY not in str(failed.value)
        await services.close()
    assert provider.charged and provider.refused and "HTTP Request: POST" in caplog.text
    assert CANARY not in caplog.text + repr(services)
