"""`twofold:encryptionKey` on both clouds: what is encrypted with it, who may use it, and that a living stack's data stays."""

import importlib
import json

import pytest
from pulumi import automation

from api.manifest import SERVICE
from tests.stacks.captured import Captured
from tests.stacks.test_stacks import DATA, config, started

ARN = "arn:aws:kms:eu-central-1:123456789012:key/0a1b2c3d"
OTHER_ARN = "arn:aws:kms:eu-central-1:123456789012:key/4e5f6a7b"
VAULT = "https://company.vault.azure.net"
IDENTITY = (
    "/subscriptions/00000000-0000-0000-0000-00000000abcd/resourceGroups/shared/providers"
    "/Microsoft.ManagedIdentity/userAssignedIdentities/company"
)
AZURE = {"encryptionKey": f"{VAULT}/keys/data", "encryptionIdentity": IDENTITY}
KEYED = {
    "aws:dynamodb/table:Table": lambda one: one["serverSideEncryption"].get("kmsKeyArn"),
    "aws:sqs/queue:Queue": lambda one: one.get("kmsMasterKeyId"),
    "aws:secretsmanager/secret:Secret": lambda one: one.get("kmsKeyId"),
    "aws:cloudwatch/eventBus:EventBus": lambda one: one.get("kmsKeyIdentifier"),
    "aws:cloudwatch/logGroup:LogGroup": lambda one: one.get("kmsKeyId"),
    "aws:elasticache/serverlessCache:ServerlessCache": lambda one: one.get("kmsKeyId"),
}


@pytest.fixture(scope="module")
def aws(tmp_path_factory):
    """A stack with a cache that gets a key, another one, and loses it again: its resources after each."""
    engine = started(tmp_path_factory.mktemp("aws"), "aws")
    record = {"deleted": {}}
    for stage, key in (("without", ""), ("with", ARN), ("other", OTHER_ARN), ("left", "")):
        engine.standin.deleted.clear()
        engine.configure(config("aws", cache="redis", encryptionKey=key))
        engine.up()
        record[stage], record["deleted"][stage] = dict(engine.standin.resources), set(engine.standin.deleted)
    engine.close()
    return record


def keys(resources):
    return {token: {read(one) for kind, one in resources.values() if kind == token} for token, read in KEYED.items()}


def test_aws_encrypts_all_that_rests_with_it(aws):
    for stage, key in (("without", None), ("with", ARN), ("other", OTHER_ARN), ("left", None)):
        assert keys(aws[stage]) == {token: {key} for token in KEYED}
        queues = [one for kind, one in aws[stage].values() if kind == "aws:sqs/queue:Queue"]
        assert {one.get("sqsManagedSseEnabled") for one in queues} == {None if key else True}  # one of the two


def test_aws_takes_and_leaves_it_in_place(aws):
    """Only the cache is made anew: it holds what can be loaded again."""
    data = {urn for urn, (token, _) in aws["without"].items() if token in DATA}
    for stage in ("with", "other", "left"):
        assert {urn.split("$")[-1].partition("::")[0] for urn in aws["deleted"][stage]} == {
            "aws:elasticache/serverlessCache:ServerlessCache"
        }
        assert data <= set(aws[stage])


def test_a_role_uses_the_key_through_the_services_alone(aws):
    for stage in ("without", "with"):
        policies = [one for kind, one in aws[stage].values() if kind == "aws:iam/rolePolicy:RolePolicy"]
        for policy in (one for one in policies if one["name"] == "unit"):
            statements = json.loads(policy["policy"])["Statement"]
            found = {
                action: (one["Resource"], one["Condition"]["StringEquals"]["kms:ViaService"])
                for one in statements
                for action in one["Action"]
                if action.startswith("kms:")
            }
            through = [f"{service}.eu-central-1.amazonaws.com" for service in ("dynamodb", "secretsmanager", "sqs")]
            expected = {"kms:Decrypt": ([ARN], through), "kms:GenerateDataKey": ([ARN], through[2:])}
            assert found == (expected if stage == "with" else {})
        assert len(policies) == len(SERVICE.units) + len(SERVICE.schedules)


@pytest.fixture(scope="module")
def azure(tmp_path_factory):
    return Captured(tmp_path_factory.mktemp("azure"), "azure", **AZURE)


def test_azure_encrypts_its_accounts_with_it(azure):
    cosmos = azure.one("azure-native:cosmosdb:DatabaseAccount")
    assert cosmos["keyVaultKeyUri"] == f"{VAULT}/keys/data"  # no version: a new one is taken up
    assert cosmos["defaultIdentity"] == f"UserAssignedIdentity={IDENTITY}"
    assert cosmos["identity"] == {"type": "UserAssigned", "userAssignedIdentities": [IDENTITY]}
    accounts = azure.of("azure-native:storage:StorageAccount")
    assert len(accounts) == 2
    for account in accounts:
        assert account["identity"] == {"type": "UserAssigned", "userAssignedIdentities": [IDENTITY]}
        encryption = account["encryption"]
        assert encryption["keySource"] == "Microsoft.Keyvault"
        assert encryption["keyVaultProperties"] == {"keyName": "data", "keyVaultUri": VAULT}
        assert encryption["encryptionIdentity"] == {"encryptionUserAssignedIdentity": IDENTITY}
        assert encryption["services"]["queue"] == {"keyType": "Account"}


def test_the_units_have_no_role_on_the_key(azure):
    apps = azure.of("azure-native:web:WebApp")
    assert all(IDENTITY not in app["identity"]["userAssignedIdentities"] for app in apps)
    assert all(
        "company" not in one["scope"] for one in azure.of("azure-native:authorization:RoleAssignment")
    )  # theirs to give


@pytest.mark.parametrize(("before", "after", "told"), [(AZURE, {}, "made with one"), ({}, AZURE, "made without one")])
def test_azure_decides_on_it_when_data_is_made(tmp_path, before, after, told):
    engine = started(tmp_path, "azure")
    off = dict.fromkeys(AZURE, "")
    engine.configure(config("azure", **(off | before)))
    engine.up()
    kept = dict(engine.standin.resources)
    engine.configure(config("azure", **(off | after)))
    with pytest.raises(automation.CommandError, match=told) as refused:
        engine.up()
    assert "Traceback" not in str(refused.value) and "twofold:encryptionKey is" in str(refused.value)
    assert engine.standin.resources == kept
    if before:
        engine.configure(config("azure", **(AZURE | {"encryptionKey": f"{VAULT}/keys/other"})))
        engine.up()
        assert engine.standin.deleted == set()
        [cosmos] = [one for kind, one in engine.standin.resources.values() if kind.endswith(":DatabaseAccount")]
        assert cosmos["keyVaultKeyUri"] == f"{VAULT}/keys/other"
    engine.close()


@pytest.mark.parametrize(("cloud", "keys"), [("azure", AZURE), ("aws", {"encryptionKey": ARN})])
def test_a_program_of_an_earlier_version_leaves_no_data_without_its_key(tmp_path, monkeypatch, cloud, keys):
    stack = importlib.import_module(f"stacks.{cloud}")
    data = stack.Data
    monkeypatch.setattr(stack, "Data", lambda *given, key, **named: data(*given, **named))
    engine = started(tmp_path, cloud)
    engine.configure(config(cloud, **keys))
    with pytest.raises(automation.CommandError, match=f"stacks/{cloud}.py is of an earlier version") as refused:
        engine.preview()
    engine.close()
    assert "Traceback" not in str(refused.value)
