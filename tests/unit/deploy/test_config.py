"""Stack config: what is refused, with which words; no engine. That refusals come before any resource is in tests/stacks."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from api.manifest import SERVICE
from twofold.deploy.config import KEYS, ConfigError, parse
from twofold.deploy.config_rules import ONLY

ROOT = Path(__file__).parents[3]
ID = "00000000-0000-0000-0000-00000000abcd"
GROUP = f"/subscriptions/{ID}/resourceGroups/shared/providers"
VNET = f"{GROUP}/Microsoft.Network/virtualNetworks/company/subnets"
OTHER = VNET.replace("company", "other")
IMAGE = {
    "aws": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/orders@sha256:" + "a" * 64,
    "azure": "company.azurecr.io/shop/orders@sha256:" + "a" * 64,
}

MANAGED = {"issuer": "managed", "oidcIssuer": "", "oidcAudience": ""}
REGISTRY = f"{GROUP}/Microsoft.ContainerRegistry/registries/company"


def config(cloud, **changed):
    base = {
        "cloud": cloud,
        "environment": "dev",
        "region": {"aws": "eu-central-1", "azure": "westeurope"}[cloud],
        "oidcIssuer": "https://issuer.example",
        "oidcAudience": "orders",
        "settings": json.dumps({"payment_url": "https://payments.example"}),
    }
    return {f"twofold:{key}": value for key, value in (base | changed).items()}


def refused(cloud, stack=None, extra=None, **changed):
    with pytest.raises(ConfigError) as refusal:
        parse(config(cloud, **changed) | (extra or {}), stack or f"dev-{cloud}", SERVICE)
    return str(refusal.value)


@pytest.mark.parametrize("cloud", ["azure", "aws"])
@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"customer": "acme"}, "so this stack's name must be 'acme-dev-"),
        ({"network": "public"}, "twofold:network is 'public'; allowed: none, private"),
        ({"subnets": "a,b"}, "twofold:subnets is 'a,b'; allowed: ids by commas"),
        ({"budget": "10.5", "alertEmail": "a@b.example"}, "twofold:budget is '10.5'; allowed: a month's amount"),
        ({"budget": "10"}, "set twofold:alertEmail"),
        ({"static": "site"}, "set twofold:edge waf"),
        ({"static": "../site", "edge": "waf"}, "allowed: a folder in the project"),
        ({"domain": "orders.example.com"}, "twofold:domain and twofold:dnsZone go together"),
        ({"image": "orders:latest"}, "by its digest"),
        ({"artifact": "latest"}, "64 hexadecimal digits"),
        ({"releases": "0"}, "how many are kept, 1 to 50"),
        ({"maxInstances": '{"http": "5"}'}, "twofold:maxInstances must be an object of whole numbers"),
        ({"maxInstances": '{"web": 5}'}, "has 'web'; the service's units are http, feed, schedule, worker"),
        ({"maxInstances": '{"http": 0}'}, "twofold:maxInstances.http is 0; allowed: 1 to 1000"),
        ({"maxInstances": '{"http": 2}', "warmInstances": '{"http": 3}'}, "is 3: more than its maxInstances, 2"),
        ({"alertWebhook": "http://chat.example"}, "twofold:alertWebhook is 'http://chat.example'; allowed: an https"),
        ({"issuer": "auto"}, "twofold:issuer is 'auto'; allowed: existing, managed"),
        ({"oidcAudience": ""}, "twofold:oidcAudience is missing"),
        ({"oidcAudience": " , "}, "twofold:oidcAudience is ' , '; allowed: an audience, or several by commas"),
        ({"issuer": "managed"}, "twofold:oidcIssuer and twofold:issuer managed both say whose tokens"),
        ({"machineClient": "true"}, "twofold:machineClient is a client of the managed issuer"),
        ({"environment": "prod"}, "is missing: a production stack says whose cloud it is in"),
        ({"environment": "qa"}, "twofold:environment is 'qa', so this stack's name must be 'qa-"),
    ],
)  # fmt: skip
def test_refused_on_both(cloud, changed, message):
    assert message in refused(cloud, **changed)


@pytest.mark.parametrize(
    ("cloud", "changed", "message"),
    [
        ("aws", {"region": "westeurope"}, "'westeurope', which is no AWS region"),
        ("azure", {"region": "eu-central-1"}, "'eu-central-1', which is no Azure location"),
        ("aws", {"image": IMAGE["azure"]}, "another cloud's"),
        ("azure", {"image": IMAGE["aws"]}, "another cloud's"),
        ("aws", {"image": IMAGE["aws"], "artifact": "a" * 64}, "both say what runs"),
        ("aws", {"maxInstances": '{"worker": 1}'}, "maxInstances.worker is less than 2: Lambda's queue poller runs 2"),
        ("aws", {"image": IMAGE["aws"], "snapStart": "true"}, "can't be had with an image"),
        ("aws", {"externalId": "shared-secret"}, "set twofold:assumeRole"),
        ("aws", {"assumeRole": "arn:aws:iam::210987654321:role/up", "account": "123456789012"}, "is not in twofold:account"),
        ("aws", {"subnets": "subnet-0123456789abcdef0,subnet-0123456789abcdef1"}, "set twofold:network private"),
        ("aws", {"subnets": "subnet-0123456789abcdef0", "network": "private"}, "has 1; two or more"),
        ("aws", {"subnets": "subnet-0123456789abcdef0,subnet-0123456789abcdef0", "network": "private"}, "one of them twice"),
        ("azure", {"subnets": f"{VNET}/my_apps,{VNET}/endpoints", "network": "private"}, "which Flex Consumption can't use"),
        ("azure", {"subnets": f"{VNET}/apps,{OTHER}/endpoints", "network": "private"}, "lie in two virtual networks"),
        ("aws", {"encryptionKey": "arn:aws:kms:eu-west-1:123456789012:key/0a1b"}, "is in eu-west-1, where a KMS key stays"),
        ("azure", {"warmInstances": '{"worker": 101}'}, "more than its maxInstances, 100"),
        ("azure", {"image": IMAGE["azure"]}, "twofold:image and twofold:registry go together"),
        ("azure", {"registry": REGISTRY}, "twofold:image and twofold:registry go together"),
        ("azure", {"image": IMAGE["azure"], "registry": REGISTRY + "2"}, "go together"),
        ("azure", {"image": IMAGE["azure"], "registry": REGISTRY, "rollingUpdates": "true"}, "leave it out with an image"),
        ("azure", {"image": IMAGE["azure"], "registry": REGISTRY, "network": "private"}, "deploy the zip"),
        ("azure", MANAGED, "an Entra app registration is no resource of Resource Manager; docs/issuer.md has the five"),
        ("aws", MANAGED | {"customer": "paws"}, "no login page named 'orders-paws-dev', with 'aws' in it"),
        ("azure", {"deployer": ID}, "allowed: User, Group or ServicePrincipal, a colon and the object id"),
        ("azure", {"deployer": f"Device:{ID}"}, "allowed: User, Group or ServicePrincipal"),
        ("aws", {"deployer": f"Group:{ID}"}, "twofold:deployer is Azure's"),
        ("azure", {"rollingUpdates": "yes"}, "twofold:rollingUpdates is 'yes'; allowed: true, false"),
        ("azure", {"encryptionKey": "https://company.vault.azure.net/keys/data"}, "go together: the key, and the identity"),
        (
            "azure",
            {"domain": "orders.example.com", "dnsZone": f"{GROUP}/Microsoft.Network/dnsZones/example.com"},
            "Front Door gets and renews the certificate",
        ),
        (
            "azure",
            {"domain": "example.com", "dnsZone": f"{GROUP}/Microsoft.Network/dnsZones/example.com", "edge": "waf"},
            "'example.com', which is no name below the zone example.com",
        ),
    ],
)  # fmt: skip
def test_refused_on_one(cloud, changed, message):
    assert message in refused(cloud, **changed)


def test_a_login_elsewhere_than_pinned_is_refused_before_it_is_used():
    message = refused("azure", extra={"azure-native:subscriptionId": "another"}, subscription=ID)
    assert f"twofold:subscription and azure-native:subscriptionId differ: '{ID}', 'another'" in message


@pytest.mark.parametrize("cloud", ["azure", "aws"])
def test_keys_of_the_other_cloud_are_refused_by_name(cloud):
    [other] = set(ONLY) - {cloud}
    message = refused(cloud, **dict.fromkeys(ONLY[other], "x"))
    assert all(f"twofold:{key} is {'Azure' if other == 'azure' else 'AWS'}'s" in message for key in ONLY[other])


@pytest.mark.parametrize("path", sorted((ROOT / "stacks/config").glob("Pulumi.*.yaml")), ids=lambda path: path.name)
def test_every_environments_file_is_read(path):
    stored = yaml.safe_load(path.read_text())["config"]
    raw = {key: value if isinstance(value, str) else json.dumps(value) for key, value in stored.items()}
    stack = path.name.split(".")[1]
    read = parse(raw, stack, SERVICE)
    assert f"{read.environment}-{read.cloud}" == stack and read.protect is (read.environment == "prod")


def test_there_is_a_file_for_each_environment_and_cloud():
    names = {path.name.split(".")[1] for path in (ROOT / "stacks/config").glob("*.yaml")}
    assert names >= {
        f"{environment}-{cloud}" for environment in ("dev", "staging", "prod") for cloud in ("aws", "azure")
    }


def test_a_customer_is_part_of_every_name():
    read = parse(config("aws", customer="acme"), "acme-dev-aws", SERVICE)
    assert read.prefix(SERVICE) == "orders-acme-dev"


def test_a_managed_issuer_takes_what_cognito_takes():
    read = parse(config("aws", **MANAGED, machineClient="true"), "dev-aws", SERVICE)
    assert (read.oidc_issuer, read.oidc_audience, read.machine_client) == ("", "", True)
    for scopes, message in (
        (("a/b", "c"), "Cognito takes no scope 'a/b'"),
        (tuple(f"s{n}" for n in range(101)), "Cognito takes 100 scopes"),
    ):
        with pytest.raises(ConfigError, match=message):
            parse(config("aws", **MANAGED), "dev-aws", replace(SERVICE, scopes=scopes))


def test_the_docs_tell_every_key():
    table = (ROOT / "docs/config.md").read_text()
    assert [key for key in KEYS if f"`{key}`" not in table] == []
