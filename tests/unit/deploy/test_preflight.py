"""Preflight against what answers as Resource Manager and as AWS do: what is missing is told with its one command."""

from urllib.parse import parse_qs

import pytest

from api.manifest import SERVICE
from tests.stacks.stack import config
from twofold.deploy.aws import preflight as aws
from twofold.deploy.aws.releases import Releases
from twofold.deploy.azure import preflight as azure
from twofold.deploy.azure.deployer import namespaces
from twofold.deploy.config import ConfigError, parse
from twofold.deploy.program import PlannedResource
from twofold.deploy.releases import ReleaseError
from twofold.emulators import ministack as emulator
from twofold.emulators.process import free_port, serving
from twofold.emulators.server import Answer, FakeServer

SUBSCRIPTION = "00000000-0000-0000-0000-00000000abcd"
TENANT = "00000000-0000-0000-0000-00000000ef01"


class ResourceManager(FakeServer):
    """Two pages of resource providers of one subscription; asks for a bearer token. It has no other operation."""

    def __init__(self, states):
        super().__init__(tls=False)
        self.states = states

    def serve(self, method, path, query, headers, body):
        if headers.get("Authorization") != "Bearer t":
            raise Answer(401, {"error": {"code": "AuthenticationFailed", "message": "no token"}})
        if method != "GET" or "api-version" not in parse_qs(query):
            raise Answer(400, {"error": {"code": "MissingApiVersionParameter", "message": "api-version is required"}})
        if path == f"/subscriptions/{SUBSCRIPTION}":
            return Answer(200, {"subscriptionId": SUBSCRIPTION, "tenantId": TENANT, "state": "Enabled"})
        if path == f"/subscriptions/{SUBSCRIPTION}/providers":
            names = sorted(self.states)
            second = "page" in parse_qs(query)
            page = names[1:] if second else names[:1]
            value = [{"namespace": name, "registrationState": self.states[name]} for name in page]
            link = f"http://{self.host}{path}?api-version=2021-04-01&page=2"
            return Answer(200, {"value": value} | ({} if second else {"nextLink": link}))
        raise Answer(
            404, {"error": {"code": "SubscriptionNotFound", "message": "The subscription could not be found."}}
        )


@pytest.fixture
def manager():
    server = ResourceManager({"Microsoft.Web": "Registered", "Microsoft.DocumentDB": "NotRegistered"})
    yield server
    server.close()


ASKED = (
    PlannedResource("azure-native:web:WebApp", "a", {}),
    PlannedResource("azure-native:cosmosdb:DatabaseAccount", "b", {}),
    PlannedResource("azure-native:cdn:Profile", "c", {}),
    PlannedResource("azure-native:resources:ResourceGroup", "d", {}),
)


def test_an_app_in_a_network_needs_container_apps_provider():
    """Flex Consumption joins subnets that are delegated to it."""
    alone = (PlannedResource("azure-native:web:WebApp", "a", {}),)
    inside = (PlannedResource("azure-native:web:WebApp", "a", {"virtualNetworkSubnetId": "/subnets/apps"}),)
    assert namespaces(alone) == {"Microsoft.Web"} and namespaces(inside) == {"Microsoft.App", "Microsoft.Web"}


def chosen(cloud, **changed):
    return parse(config(cloud, **changed), f"dev-{cloud}", SERVICE)


def looked(manager, **changed):
    endpoint = f"http://{manager.host}"
    checks = azure.check(chosen("azure", **changed), lambda: ASKED, endpoint=endpoint, token="t")
    return {check.what: check for check in checks}


def test_what_is_not_registered_is_told_with_its_command(manager):
    checks = looked(manager, subscription=SUBSCRIPTION, tenant=TENANT)
    assert {what: check.fine for what, check in checks.items()} == {
        f"subscription {SUBSCRIPTION}": True, "tenant": True, "Microsoft.Cdn": False, "Microsoft.DocumentDB": False,
        "Microsoft.Web": True,
    }  # fmt: skip
    assert checks["Microsoft.DocumentDB"].command == (
        f"az provider register --wait --subscription {SUBSCRIPTION} --namespace Microsoft.DocumentDB"
    )


def test_another_tenant_or_subscription(manager):
    other = TENANT.replace("ef01", "0000")
    assert looked(manager, subscription=SUBSCRIPTION, tenant=other)["tenant"].command == f"az login --tenant {other}"
    [check] = looked(manager, subscription=other).values()
    assert not check.fine and "404: The subscription could not be found." in check.found
    with pytest.raises(ConfigError, match="name the subscription"):
        azure.check(chosen("azure"), tuple, token="t")


@pytest.fixture(scope="module")
def roomy():
    """An account with AWS' own default of 1,000 concurrent executions; ministack's is this machine's processors."""
    port = free_port()
    with serving(emulator.command(), port, emulator.environ(port) | {"LAMBDA_ACCOUNT_CONCURRENCY": "1000"}) as url:
        yield url


@pytest.fixture
def account(roomy, monkeypatch):
    login = {"AWS_ENDPOINT_URL": roomy, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    for name, value in login.items():
        monkeypatch.setenv(name, value)


def checks_of(**changed):
    return {check.what: check for check in aws.check(chosen("aws", **changed), tuple)}


def test_an_account_has_room_or_not(account):
    checks = checks_of(account="000000000000", maxInstances='{"http": 500}')
    assert {what: check.fine for what, check in checks.items()} == {
        "login": True, "region eu-central-1": True, "permissions boundary": False, "concurrency": True,
    }  # fmt: skip
    assert not checks["permissions boundary"].needed and "twofold deployer" in checks["permissions boundary"].command
    checks = checks_of(account="999999999999", maxInstances='{"http": 901}')
    assert not checks["login"].fine and "not in twofold:account 999999999999" in checks["login"].found
    assert not checks["concurrency"].fine and "--desired-value 1001" in checks["concurrency"].command


def test_a_boundary_is_there_or_not(account):
    import boto3

    allow = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}]}'
    )
    policy = boto3.client("iam", region_name="eu-central-1").create_policy(
        PolicyName="orders-dev-boundary", PolicyDocument=allow
    )
    arn = policy["Policy"]["Arn"]
    assert checks_of(permissionsBoundary=arn)["permissions boundary"].fine
    missing = checks_of(permissionsBoundary=f"{arn}-2")["permissions boundary"]
    assert not missing.fine and missing.needed and missing.command == "twofold deployer --cloud aws --env dev"


def test_no_login_is_told_and_no_traceback(monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    [login] = checks_of().values()
    assert not login.fine and "credentials" in login.found and "\n" not in login.found


def test_a_profile_that_is_not_there_is_told_and_no_traceback(monkeypatch, tmp_path):
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    [login] = checks_of().values()
    assert not login.fine and "The config profile (nobody) could not be found" in login.found
    with pytest.raises(ReleaseError, match=r"could not log in: The config profile \(nobody\)"):
        Releases("lambda://eu-central-1/orders-dev", {"http": "orders-dev-http"})
