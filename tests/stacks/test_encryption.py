"""`twofold:encryptionKey` on both clouds: what is encrypted with it, who may use it, and that a living stack's data stays."""

import importlib
import json

import pytest
from pulumi import automation

from api.manifest import SERVICE
from tests.stacks.options import ENCRYPTION
from tests.stacks.stack import DATA, config, started

OTHER_ARN = "arn:aws:kms:eu-central-1:123456789012:key/4e5f6a7b"
ARN, AZURE = ENCRYPTION["aws"]["encryptionKey"], ENCRYPTION["azure"]
VAULT, IDENTITY = "https://company.vault.azure.net", AZURE["encryptionIdentity"]
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
        record[stage], record["deleted"][stage] = engine.resources(), set(engine.standin.deleted)
    engine.close()
    return record


def keys(resources):
    return {token: {read(one) for one in resources.of(token)} for token, read in KEYED.items()}


def test_aws_encrypts_all_that_rests_with_it(aws):
    for stage, key in (("without", None), ("with", ARN), ("other", OTHER_ARN), ("left", None)):
        assert keys(aws[stage]) == {token: {key} for token in KEYED}
        queues = aws[stage].of("aws:sqs/queue:Queue")
        assert {one.get("sqsManagedSseEnabled") for one in queues} == {None if key else True}  # one of the two
        tables = aws[stage].of("aws:dynamodb/table:Table")
        # Without a key of one's own it is the free one of DynamoDB's, not the account's, whose uses cost.
        assert {one["serverSideEncryption"]["enabled"] for one in tables} == {key is not None}


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
        policies = aws[stage].of("aws:iam/rolePolicy:RolePolicy")
        for policy in (one for one in policies if one["name"] == "unit"):
            statements = json.loads(policy["policy"])["Statement"]
            services = {
                action: (one["Resource"], one["Condition"]["StringEquals"]["kms:ViaService"])
                for one in statements
                for action in one["Action"]
                if action.startswith("kms:")
            }
            through = [f"{service}.eu-central-1.amazonaws.com" for service in ("dynamodb", "secretsmanager", "sqs")]
            expected = {"kms:Decrypt": ([ARN], through), "kms:GenerateDataKey": ([ARN], through[2:])}
            assert services == (expected if stage == "with" else {})
        assert len(policies) == len(SERVICE.units) + len(SERVICE.schedules)


@pytest.fixture(scope="module")
def azure(captured):
    return captured("azure", **AZURE)


def test_azure_encrypts_its_accounts_with_it(azure):
    cosmos = azure.one("azure-native:cosmosdb:DatabaseAccount")
    assert cosmos["keyVaultKeyUri"] == f"{VAULT}/keys/data"  # no version: a new one is taken up
    assert cosmos["defaultIdentity"] == f"UserAssignedIdentity={IDENTITY}"
    assert cosmos["identity"] == {"type": "UserAssigned", "userAssignedIdentities": [IDENTITY]}
    accounts = azure.of("azure-native:storage:StorageAccount")
    assert len(accounts) == 3
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


@pytest.mark.parametrize(
    ("before", "after", "message"), [(AZURE, {}, "made with one"), ({}, AZURE, "made without one")]
)
def test_azure_decides_on_it_when_data_is_made(tmp_path, before, after, message):
    engine = started(tmp_path, "azure", **before)
    engine.up()
    kept = engine.resources()
    engine.configure(config("azure", **after))
    with pytest.raises(automation.CommandError, match=message) as refused:
        engine.up()
    assert "Traceback" not in str(refused.value) and "twofold:encryptionKey is" in str(refused.value)
    assert engine.standin.resources == kept
    if before:
        engine.configure(config("azure", **(AZURE | {"encryptionKey": f"{VAULT}/keys/other"})))
        engine.up()
        assert engine.standin.deleted == set()
        cosmos = engine.resources().one("azure-native:cosmosdb:DatabaseAccount")
        assert cosmos["keyVaultKeyUri"] == f"{VAULT}/keys/other"
    engine.close()


def test_a_program_of_an_earlier_version_leaves_no_data_without_its_key(tmp_path, monkeypatch, cloud):
    stack = importlib.import_module(f"stacks.{cloud}")
    data = stack.Data
    monkeypatch.setattr(stack, "Data", lambda *arguments, key, **named: data(*arguments, **named))
    engine = started(tmp_path, cloud, **ENCRYPTION[cloud])
    with pytest.raises(automation.CommandError, match=f"stacks/{cloud}.py is of an earlier version") as refused:
        engine.preview()
    engine.close()
    assert "Traceback" not in str(refused.value)
