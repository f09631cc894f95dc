"""What a deployer may do, generated: a line for each type of resource, none too many, within what each cloud takes."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from api.manifest import SERVICE
from tests.engine.answers import ACCOUNT, SUBSCRIPTION
from tests.policy.test_least_privilege import FILES, ROLES
from tests.stacks.captured import Captured
from tests.stacks.options import ON, everything
from tests.stacks.stack import config
from tests.unit.deploy.test_config import IMAGE, REGISTRY
from twofold.deploy.aws import deployer as aws
from twofold.deploy.azure import deployer as azure
from twofold.deploy.config import ConfigError, parse
from twofold.deploy.program import Asked

ROOT = Path(__file__).parents[2]
LINES = {"aws": aws.GRANTS, "azure": azure.GRANTS}
SPARED = {"aws": aws.NO_CLOUD, "azure": azure.NO_CLOUD}
ACR_PULL = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/bounds"


@pytest.fixture(scope="module")
def asked(tmp_path_factory, cloud):
    """What all shapes ask for: everything on; no gateway; a network of the stack's own; and what only one cloud can have."""
    found = []
    more = {
        "aws": {
            "domain": "orders.example.com", "dnsZone": ON["aws"]["dnsZone"],  # without an edge
            "issuer": "managed", "oidcIssuer": "", "oidcAudience": "",
        },
        "azure": {"image": IMAGE["azure"], "registry": REGISTRY},
    }  # fmt: skip
    for changed in (
        everything(cloud) | {"protect": "false"},
        {"gateway": "none"},
        {"network": "private", "cache": "redis"},
        more[cloud],
    ):
        stack = Captured(tmp_path_factory.mktemp(cloud), cloud, **changed)
        found += [Asked(kind, urn.rpartition("::")[2], inputs) for urn, (kind, inputs) in stack.resources.items()]
    return found


def written(cloud, asked, **changed):
    chosen = replace(parse(config(cloud), f"dev-{cloud}", SERVICE), **changed)
    return (aws if cloud == "aws" else azure).documents(chosen, "orders-dev", asked)


def test_every_type_has_its_line_and_no_line_is_unused(cloud, asked):
    types = {one.type for one in asked if not one.type.startswith(SPARED[cloud])}
    assert types == set(LINES[cloud])


def test_no_action_has_a_star(cloud, asked):
    documents = written(cloud, asked)
    actions = (
        [action for one in documents.values() for statement in one["Statement"] for action in statement["Action"]]
        if cloud == "aws"
        else documents["orders-dev-deployer"]["Actions"]
    )
    assert len(actions) > 60 and not [action for action in actions if "*" in action]
    assert (
        len(actions) == len(set(actions)) or cloud == "aws"
    )  # there an action may stand once for each kind of resource


def test_an_unknown_type_is_named(cloud):
    with pytest.raises(ConfigError, match="no permissions are known for x:y/z:Z: write them into"):
        written(cloud, [Asked("x:y/z:Z", "mine", {})])


def statements(asked, **changed):
    documents = written("aws", asked, account=ACCOUNT, **changed)
    assert all(aws.size(one) <= aws.MOST_CHARACTERS for one in documents.values())
    assert 1 < len(documents) <= 10  # attached to a role
    return [statement for one in documents.values() for statement in one["Statement"]]


def test_resources_are_the_stacks_own(cloud, asked):
    if cloud == "azure":
        scopes = written(cloud, asked, subscription=SUBSCRIPTION)["orders-dev-deployer"]["AssignableScopes"]
        assert scopes == [f"/subscriptions/{SUBSCRIPTION}"]
        return
    for statement in statements(asked):
        own = (
            "Describe",
            "LogDelivery",
            "LogDeliveries",
            "PutResourcePolicy",
            "EventSourceMapping",
            "QueryDefinition",
            "CreateUserPool",
        )
        if statement["Resource"] == ["*"]:
            assert all(any(word in action for word in own) for action in statement["Action"]), statement
            assert "Condition" in statement or not any("EventSource" in action for action in statement["Action"])
        for resource in statement["Resource"]:
            service = resource.split(":")[2] if resource != "*" else ""
            if service in ("dynamodb", "sqs", "secretsmanager", "scheduler", "events"):
                assert "orders-dev" in resource and ACCOUNT in resource


def test_roles_are_passed_to_three_services_and_made_within_the_boundary(cloud, asked):
    if cloud == "azure":
        [condition] = [one["Condition"] for name, one in written(cloud, asked).items() if name == "condition"]
        given = {
            one.inputs["roleDefinitionId"].rpartition("/")[2]
            for one in asked
            if one.type == "azure-native:authorization:RoleAssignment"
        }
        assert given == {*ROLES, *FILES, ACR_PULL} and all(condition.count(role) == 2 for role in given)
        assert "roleAssignments/write" in condition and "'ServicePrincipal'" in condition
        return
    [passed] = [one for one in statements(asked) if "iam:PassRole" in one["Action"]]
    assert passed["Condition"]["StringEquals"]["iam:PassedToService"] == [
        "lambda.amazonaws.com",
        "scheduler.amazonaws.com",
        "events.amazonaws.com",  # the alarms' webhook
    ]
    assert passed["Resource"] == [f"arn:aws:iam::{ACCOUNT}:role/orders-dev-*"]
    made = [one for one in statements(asked, permissions_boundary=BOUNDARY) if "iam:CreateRole" in one["Action"]]
    assert [one["Condition"] for one in made] == [{"StringEquals": {"iam:PermissionsBoundary": BOUNDARY}}]
    key = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/1"
    [grant] = [one for one in statements(asked, encryption_key=key) if "kms:CreateGrant" in one["Action"]]
    assert grant["Resource"] == [key] and grant["Condition"] == {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    assert {"iam:PutRolePolicy", "iam:PutRolePermissionsBoundary"} <= set(made[0]["Action"])


ASK = """
import json
from pathlib import Path
from api.manifest import SERVICE
from twofold.deploy import program
stack, root = "dev-{cloud}", Path.cwd()
found = program.asked(SERVICE, program.stack_config(root, stack, SERVICE), root, stack)
print(json.dumps(sorted(f"{{one.type}} {{one.name}}" for one in found)))
"""


def test_the_program_tells_without_an_engine_what_the_engine_is_asked_for(cloud):
    done = subprocess.run(
        [sys.executable, "-c", ASK.format(cloud=cloud)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == (ROOT / f"tests/contract/golden/resources-{cloud}.txt").read_text().splitlines()
