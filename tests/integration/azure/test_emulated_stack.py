"""`pulumi up` of the real program onto an emulated Azure subscription, and an order all the way through what it made.

The engine is real; the provider makes what it is asked for on the fakes and on Azurite, and runs the units with the library of
the Functions worker, from the artifact that the program's own One Deploy brought. Everything is reached under Azure's own names.
"""

import json
import ssl
import time

import httpx
import pytest

from tests.emulators.tool import needing
from tests.engine.emulated.azure.account import DEPLOYER, Account
from tests.engine.emulated.azure.compute import App
from tests.engine.emulated.azure.data import Container, Database, Identity, Topic, Vault
from tests.engine.emulated.azure.provider import MANAGEMENT, STATE_ALONE, EmulatedAzure
from tests.engine.emulated.azure.storage import Queue, Storage
from tests.engine.emulated.plugin import DYNAMIC, on_path
from tests.engine.engine import Engine
from tests.fakes.payments import KEY
from tests.integration.commands import command
from tests.integration.walk import ORDER, eventually
from tests.stacks.stack import config, program
from tools import pulumi_cli
from twofold.emulators import azurite
from twofold.portable.message import Message

pytestmark = pytest.mark.random_order(disabled=True)  # one story, in its order

ANYWHERE = {"location", "tags"}
NOT_EMULATED = {
    "apimanagement:Api": {"displayName"},
    "apimanagement:ApiManagementService": {
        "developerPortalStatus", "disableGateway", "enableClientCertificate", "legacyPortalStatus", "natGatewayState",
        "publisherEmail", "publisherName", "restore", "sku", "virtualNetworkType",
    },
    "cosmosdb:DatabaseAccount": {
        "backupPolicy", "capabilities", "createMode", "databaseAccountOfferType", "disableKeyBasedMetadataWriteAccess",
        "kind", "locations", "minimalTlsVersion", "publicNetworkAccess",
    },
    "eventgrid:Topic": {"minimumTlsVersionAllowed", "publicNetworkAccess"},
    "keyvault:Vault": {
        f"properties.{name}" for name in (
            "enabledForDeployment", "enabledForDiskEncryption", "enabledForTemplateDeployment", "networkAcls",
            "publicNetworkAccess", "sku", "softDeleteRetentionInDays",
        )
    },
    "storage:StorageAccount": {"kind", "minimumTlsVersion", "networkRuleSet", "publicNetworkAccess", "sku"},
    "web:WebApp": {
        "clientAffinityEnabled", "functionAppConfig.scaleAndConcurrency", "hyperV", "isXenon", "kind", "scmSiteAlsoStopped",
        "siteConfig.ftpsState", "siteConfig.http20Enabled", "siteConfig.localMySqlEnabled", "siteConfig.minTlsVersion",
        "siteConfig.netFrameworkVersion", "siteConfig.scmIpSecurityRestrictionsDefaultAction", "siteConfig.scmMinTlsVersion",
    },
    "web:WebAppAuthSettingsV2": {"login"},
}  # fmt: skip
"""Inputs that nothing here goes by, by type, beside those that are so anywhere and those of `STATE_ALONE`."""
BY_HAND = {
    Vault: "b86a8fe4-44ce-4948-aee5-eccb2c155cd7", Storage: "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    Database: "00000000-0000-0000-0000-000000000002",
}  # fmt: skip
"""The roles that an operator needs for the commands below, and gets by hand: docs/secrets.md, docs/dead-letters.md."""


@pytest.fixture(scope="module")
def account(issuer):
    needing(azurite.fetch)
    with Account(issuer.pem) as account:
        yield account


@pytest.fixture(scope="module")
def settings(issuer, payments):
    return config("azure", oidcIssuer=issuer.url, settings=json.dumps({"payment_url": f"http://{payments.host}"}))


@pytest.fixture(scope="module")
def stack(account, settings, tmp_path_factory):
    """The stack, up; its secret set by its operator."""
    needing(pulumi_cli.find)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", on_path(tmp_path_factory.mktemp("plugins"), pulumi_python=DYNAMIC))
        folder = tmp_path_factory.mktemp("stack")
        engine = Engine(folder, "dev-azure", settings, program, standin=EmulatedAzure(account))
        engine.environ.update(account.environ)
        try:
            engine.up()
            for kind, role in BY_HAND.items():
                for thing in account.all(kind):
                    account.assign(f"{thing.id} by hand", DEPLOYER, role, thing.id)
            command(engine, "azure", "secret", "set", "payment-api-key", input=KEY + "\n")
            yield engine
        finally:
            engine.close()


def queue(account, name):
    [resource] = [one for one in account.all(Queue) if one.name == name]
    return resource


def unit(account, role):
    [app] = [one for one in account.all(App) if one.settings["TWOFOLD_ROLE"] == role]
    return app


def outside(account, base="", **headers):
    """Somebody on the internet."""
    trusted = ssl.create_default_context(cafile=account.front.trusted)
    return httpx.Client(base_url=base, proxy=account.front.proxy, verify=trusted, headers=headers, timeout=60)


@pytest.fixture(scope="module")
def outputs(stack):
    return stack.outputs


@pytest.fixture
def client(outputs, account, issuer):
    """Through the gateway."""
    with outside(account, outputs["url"], Authorization=f"Bearer {issuer.token()}") as client:
        yield client


def wait():
    time.sleep(0.2)


def test_the_subscription_holds_what_the_engine_asked_for(stack, outputs, account):
    wanted = {one["urn"]: one["id"] for one in stack.state()["resources"] if one["type"].startswith("azure-native:")}
    assert wanted.keys() == stack.standin.resources.keys() and set(wanted.values()) <= account.held.keys()
    lost = {token.removeprefix("azure-native:"): paths - ANYWHERE for token, paths in stack.standin.lost.items()}
    assert {token: paths for token, paths in lost.items() if paths} == NOT_EMULATED
    watching = {token for token, _ in stack.standin.resources.values()} & STATE_ALONE.keys()
    assert watching == STATE_ALONE.keys()
    units = {unit.rpartition("/")[2] for unit in outputs["units"].values()}
    assert {app.name for app in account.all(App)} == units
    for app in account.all(App):
        assert app.running().messages == []


def test_an_order_goes_all_the_way(client, payments, account):
    placed = client.post("/orders", json=ORDER, headers={"Idempotency-Key": "first"})
    assert placed.status_code == 201, placed.text
    order = placed.headers["location"]
    assert client.post(f"{order}/payment", json={}).status_code == 202
    paid = eventually(lambda: (answer := client.get(order)).json()["status"] == "paid" and answer, wait, 60)
    assert payments.charged == {f"{order.rsplit('/', 1)[1]}-1": 2500}
    shipped = client.post(f"{order}/shipment", json={}, headers={"If-Match": paid.headers["etag"]})
    assert shipped.json()["status"] == "shipped"

    def listed():
        rows = client.get("/customers/c-1/orders", params={"status": "shipped"}).json()["orders"]
        return [row["id"] for row in rows] == [order.rsplit("/", 1)[1]]

    eventually(listed, wait, 60)
    history = [event["type"] for event in client.get(f"{order}/events").json()["events"]]
    assert history == ["OrderPlaced", "PaymentRequested", "OrderPaid", "OrderShipped"]
    [topic] = account.all(Topic)
    eventually(lambda: len(topic.fake.events) == 3, wait, 60)
    assert [event["type"] for event in topic.fake.events] == ["orders.placed", "orders.paid", "orders.shipped"]


def test_the_gateway_turns_away_what_it_should(client, issuer):
    def asked(path, token):
        return client.get(path, headers={"Authorization": f"Bearer {token}" if token else ""})

    for refused in (asked("/orders/none", None), asked("/orders/none", issuer.token(aud="another"))):
        assert (refused.status_code, refused.json()["type"]) == (401, "urn:twofold:problem:unauthorized")
    lacking = asked("/orders/none", issuer.token(scope="orders.write"))
    assert (lacking.status_code, lacking.json()["detail"]) == (403, "the token lacks a scope: orders.read")
    assert asked("/nowhere", issuer.token()).json() == {"statusCode": 404, "message": "Resource not found"}
    # Let in, and answered by the service: it verifies tokens itself, this one included.
    assert asked("/orders/none", issuer.token()).json()["type"] == "urn:twofold:problem:order-not-found"
    assert asked("/health/ready", None).json()["status"] == "ready"


def test_the_units_are_closed_to_all_but_the_gateway(account, issuer):
    [gateway] = [one for one in account.all(Identity) if one.name == "orders-dev-gateway"]
    http, worker = (f"https://{unit(account, role).name}.azurewebsites.net/health/live" for role in ("http", "worker"))
    own = unit(account, "http").running().identity(unit(account, "http").settings["AZURE_CLIENT_ID"])
    with outside(account) as client:

        def asked(url, principal, resource="https://management.azure.com"):
            return client.get(
                url, headers={"Authorization": f"Bearer {account.token(principal, resource)}"}
            ).status_code

        assert client.get(http, headers={"Authorization": f"Bearer {issuer.token()}"}).status_code == 401
        assert client.get(http, headers={"X-MS-CLIENT-PRINCIPAL-ID": gateway.principal}).status_code == 401
        assert [asked(http, own.principal), asked(http, DEPLOYER), asked(http, gateway.principal)] == [403, 403, 200]
        assert asked(http, gateway.principal, "https://storage.azure.com") == 401
        assert asked(worker, gateway.principal) == 403


def test_a_payment_that_always_fails_is_dead_lettered(stack, client, payments, account):
    """Its first attempt is the account's own; of those that would take most of an hour only the twelfth is made, by hand."""
    payments.down = True
    order = client.post("/orders", json=ORDER).headers["location"].rsplit("/", 1)[1]
    client.post(f"/orders/{order}/payment", json={})
    eventually(lambda: payments.refused.count(f"{order}-1") >= 3, wait, 60)  # three requests an attempt
    last = Message("orders.pay", {"order": order, "request": 1}, id=f"{order}-1", attempt=12)
    queue(account, "orders-payments").queue.send_message(last.encode("/orders"))
    dead = queue(account, "orders-payments-poison").queue
    eventually(lambda: dead.get_queue_properties().approximate_message_count == 1, wait, 60)
    assert "PaymentUnavailable" in command(stack, "azure", "dlq", "show", "payments", f"{order}-1")
    assert client.get(f"/orders/{order}").json()["status"] == "payment_pending"


def test_the_schedule_runs_its_unit(account):
    """The deployed trigger's own function, before its time."""
    host = unit(account, "schedule").running()
    [(name, trigger)] = host.functions.items()
    assert (trigger["type"], trigger["schedule"]) == ("timerTrigger", "0 */5 * * * *")
    host.run(name, json.dumps({"IsPastDue": False}))


def test_each_unit_has_what_it_needs_and_no_more(outputs, account):
    """After all of the above nothing was refused; what a unit has no business with is.

    But for a look: whether a queue answers is asked by units too that may only send to it, and a refusal is an answer.
    """
    assert {action for _, action, _ in account.refused} <= {"queues/read"} and account.front.failures == []
    for app in account.all(App):
        assert app.running().messages == []
    storage = outputs["queue_url"].split("/")[2]
    [vault] = account.all(Vault)
    with outside(account) as client:

        def asked(role, method, path):
            identity = unit(account, role).running().identity(unit(account, role).settings["AZURE_CLIENT_ID"])
            token = account.token(identity.principal, "https://storage.azure.com")
            headers = {"Authorization": f"Bearer {token}", "x-ms-version": "2021-02-12"}
            return client.request(method, f"https://{storage}/{path}", headers=headers).status_code

        message = "orders-payments/messages"
        assert [asked(role, "GET", message) for role in ("http", "feed", "schedule", "worker")] == [403, 403, 403, 200]
        assert asked("worker", "GET", "orders-payments-poison/messages") == 403
        assert client.get(f"https://{storage}/{message}").status_code == 401
        identity = unit(account, "http").running().identity(unit(account, "http").settings["AZURE_CLIENT_ID"])
        own = {"Authorization": f"Bearer {account.token(identity.principal, 'https://vault.azure.net')}"}
        secret = f"https://{vault.host}/secrets/payment-api-key?api-version=7.6"
        assert client.get(secret, headers=own).json()["value"] == KEY
        assert client.put(secret, headers=own, json={"value": "mine"}).status_code == 403


def test_a_changed_setting_goes_live(stack, settings, client):
    def live():
        return client.get("/health/live", headers={"Origin": "https://shop.example"}).headers

    assert "access-control-allow-origin" not in live()
    stack.configure(settings | {"twofold:corsOrigins": "https://shop.example"})
    assert set(stack.up()) == {"same", "update"}
    assert live()["access-control-allow-origin"] == "https://shop.example"


def test_nothing_changes_unless_somebody_changed_it(stack, account):
    assert set(stack.up()) == {"same"}
    [documents] = [one for one in account.all(Container) if one.name == "documents"]
    documents.update({"resource": {"defaultTtl": 60}})
    [alarm] = [resource_id for resource_id in account.held if "scheduledQueryRules" in resource_id]
    del account.held[alarm]
    drift = stack.refresh()
    assert (drift["update"], drift["delete"]) == (1, 1) and set(drift) == {"same", "update", "delete"}


def test_destroy_leaves_nothing(stack, account):
    stack.destroy()
    assert account.held == {} and account.front.hosts.keys() == MANAGEMENT.keys()
    assert {one.principal for one in account.assignments.values()} == {DEPLOYER}  # what was given by hand
