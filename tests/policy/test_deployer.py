"""What a deployer may do, generated: a line for each type of resource, none too many, within what each cloud takes."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from api.manifest import SERVICE
from tests.engine.answers import ACCOUNT, SUBSCRIPTION
from tests.policy import iam
from tests.policy.test_least_privilege import FILES, REVIEWED, ROLES
from tests.stacks.captured import Captured
from tests.stacks.options import ON, everything
from tests.stacks.stack import config
from tests.unit.deploy.test_config import IMAGE, REGISTRY
from twofold.deploy.aws import deployer as aws
from twofold.deploy.azure import deployer as azure
from twofold.deploy.config import ConfigError, parse
from twofold.deploy.program import PlannedResource

ROOT = Path(__file__).parents[2]
LINES = {"aws": aws.GRANTS, "azure": azure.GRANTS}
SPARED = {"aws": aws.NO_CLOUD, "azure": azure.NO_CLOUD}
ACR_PULL = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/orders-dev-boundary"
ACTIONS = json.loads((Path(__file__).parent / "aws_actions.json").read_text())["actions"]
"""AWS' own facts about actions; its `source` says whose."""
COGNITO = {
    f"aws:cognito/{one[:1].lower()}{one[1:]}:{one}"
    for one in ("ResourceServer", "UserPool", "UserPoolClient", "UserPoolDomain")
}
"""No shape of the stacks here asks for them."""


@pytest.fixture(scope="module")
def asked(shapes, cloud):
    return shapes(cloud)


@pytest.fixture(scope="module")
def asked_aws(shapes):
    return shapes("aws")


@pytest.fixture(scope="module")
def shapes(tmp_path_factory):
    return cache(lambda cloud: shapes_of(tmp_path_factory, cloud))


def shapes_of(tmp_path_factory, cloud):
    """What all shapes ask for: everything on; no gateway; a network of the stack's own; and what only one cloud can have."""
    resources = []
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
        resources += [
            PlannedResource(kind, urn.rpartition("::")[2], inputs) for urn, (kind, inputs) in stack.resources.items()
        ]
    return resources


def written(cloud, asked, **changed):
    chosen = replace(parse(config(cloud), f"dev-{cloud}", SERVICE), **changed)
    return (aws if cloud == "aws" else azure).documents(chosen, "orders-dev", asked)


def test_every_type_has_its_line_and_no_line_is_unused(cloud, asked):
    types = {one.type for one in asked if not one.type.startswith(SPARED[cloud])}
    assert types | (COGNITO if cloud == "aws" else set()) == set(LINES[cloud])


def test_no_action_has_a_star(cloud, asked):
    documents = written(cloud, asked)
    actions = [action for one in documents.values() for action in one.get("Actions", ())]
    actions += [
        action for one in documents.values() for statement in one.get("Statement", ()) for action in statement["Action"]
    ]
    assert len(actions) > 60 and not [action for action in actions if "*" in action]
    # On AWS an action may stand once for each kind of resource.
    assert len(actions) == len(set(actions)) or cloud == "aws"


def test_an_unknown_type_is_named(cloud):
    with pytest.raises(ConfigError, match="no permissions are known for x:y/z:Z: write them into"):
        written(cloud, [PlannedResource("x:y/z:Z", "mine", {})])


def statements(asked, **changed):
    documents = written("aws", asked, account=ACCOUNT, **changed)
    policies = {name: one for name, one in documents.items() if name != "config"}
    assert all(aws.size(one) <= aws.MOST_CHARACTERS for one in policies.values())
    assert 2 < len(policies) <= 10  # attached to a role
    return [statement for one in policies.values() for statement in one["Statement"]]


def whole(asked):
    """The statements of a stack with every option that makes some."""
    key = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/1"
    more = [PlannedResource(type, type, {}) for type in COGNITO]
    return statements([*asked, *more], encryption_key=key, image=IMAGE["aws"], dns_zone="Z0123456789ABC")


def test_every_action_exists_and_is_allowed_on_what_it_knows(cloud, asked):
    if cloud == "azure":
        verbs = re.compile(r"(microsoft\.[a-z]+)(/[a-z_]+)+/(read|write|delete|action)", re.IGNORECASE)
        actions = written(cloud, asked)["orders-dev-deployer"]["Actions"]
        assert len(actions) > 100 and not [one for one in actions if not verbs.fullmatch(one)]
        return
    places = {}
    for statement in whole(asked):
        for action in statement["Action"]:
            known = ACTIONS[action]["on"]
            if not known:
                assert statement["Resource"] == ["*"], f"{action} is allowed on * alone"
            for resource in statement["Resource"]:
                assert resource != "*" or not known or "Deny" in statement["Effect"] or (action, "*") in STARS, action
                assert resource == "*" or any(iam.meet(resource, form) for form in known), (action, resource)
            keys = {key for one in statement.get("Condition", {}).values() for key in one}
            assert keys <= set(ACTIONS[action].get("keys", ())), (action, keys)
            if statement["Effect"] == "Allow":
                places.setdefault(action, set()).update(statement["Resource"])
    assert len(places) > 300
    for action, resources in places.items():
        for form in ACTIONS[action].get("needs", ()):
            assert "*" in resources or any(iam.meet(resource, form) for resource in resources), (action, form)


STARS = REVIEWED | {
    # The reference names the topic since 2026 and no resource before.
    *((f"sns:{action}", "*") for action in ("GetSubscriptionAttributes", "SetSubscriptionAttributes", "Unsubscribe")),
}


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("lambda:PutFunctionConcurrency", "lambda:eu-central-1:{a}:function:orders-dev-http"),
        ("lambda:DeleteFunctionConcurrency", "lambda:eu-central-1:{a}:function:orders-dev-http"),
        ("ec2:DetachNetworkInterface", "ec2:eu-central-1:{a}:network-interface/eni-1"),
        ("ec2:DeleteNetworkInterface", "ec2:eu-central-1:{a}:network-interface/eni-1"),
        ("sns:Unsubscribe", "*"),
        ("acm:RequestCertificate", "*"),
        ("cloudfront:CreateOriginAccessControl", "*"),
        ("cloudfront:CreateDistribution", "*"),
        ("events:CreateApiDestination", "events:eu-central-1:{a}:connection/orders-dev-alarms/1"),
        ("logs:AssociateKmsKey", "logs:eu-central-1:{a}:log-group:/aws/lambda/orders-dev-http"),
        ("logs:DisassociateKmsKey", "logs:eu-central-1:{a}:log-group:/aws/lambda/orders-dev-http"),
        ("ecr:BatchGetImage", f"ecr:eu-central-1:{IMAGE['aws'].partition('.')[0]}:repository/orders"),
        ("s3:TagResource", "s3:::orders-dev-static-1"),
        ("cloudwatch:DescribeAlarms", "cloudwatch:eu-central-1:{a}:alarm:*"),
        (
            "apigateway:POST",
            "apigateway:eu-central-1::/tags/arn%3Aaws%3Aapigateway%3Aeu-central-1%3A%3A%2Fdomainnames%2Fx",
        ),
        ("logs:CreateLogGroup", "logs:eu-central-1:{a}:log-group:/aws/vendedlogs/apigateway/orders-dev"),
    ],
)
def test_what_an_update_calls_is_allowed(asked_aws, action, resource):
    document = {"Statement": whole(asked_aws)}
    assert iam.allowed([document], action, resource if resource == "*" else f"arn:aws:{resource.format(a=ACCOUNT)}")


def test_a_cache_in_subnets_that_exist_makes_its_endpoints(asked_aws):
    resources = [one for one in asked_aws if one.type != "aws:ec2/vpcEndpoint:VpcEndpoint"]
    document = {"Statement": statements(resources)}
    for kind in ("vpc-endpoint", "vpc", "subnet", "security-group"):
        assert iam.allowed([document], "ec2:CreateVpcEndpoint", f"arn:aws:ec2:eu-central-1:{ACCOUNT}:{kind}/x")
    without = [one for one in resources if "elasticache" not in one.type]
    assert "ec2:CreateVpcEndpoint" not in str(statements(without))


def test_resources_are_the_stacks_own(cloud, asked):
    if cloud == "azure":
        group = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/orders-dev"
        documents = written(cloud, asked, subscription=SUBSCRIPTION)
        assert documents["orders-dev-deployer"]["AssignableScopes"] == [group]
        assert documents["scopes"] == {"orders-dev-deployer": [group]}
        return
    for statement in whole(asked):
        for resource in statement["Resource"]:
            service = resource.split(":")[2] if resource != "*" else ""
            if service in ("dynamodb", "sqs", "secretsmanager", "scheduler", "events", "s3"):
                assert "orders-dev" in resource and (ACCOUNT in resource or service == "s3")


def test_a_long_name_has_its_bucket():
    documents = aws.documents(
        replace(parse(config("aws"), "dev-aws", SERVICE), account=ACCOUNT), f"orders-{'x' * 30}-dev",
        [PlannedResource("aws:s3/bucket:Bucket", "static", {})],
    )  # fmt: skip
    [policy] = [one for name, one in documents.items() if name.endswith("deployer-1")]
    assert iam.allowed([policy], "s3:CreateBucket", f"arn:aws:s3:::orders-{'x' * 22}-static-1")


FORMS = {
    "aws:cloudwatch/eventApiDestination:EventApiDestination": "events:{where}:api-destination/{name}/1",
    "aws:cloudwatch/eventBus:EventBus": "events:{where}:event-bus/{name}",
    "aws:cloudwatch/logGroup:LogGroup": "logs:{where}:log-group:{name}",
    "aws:dynamodb/table:Table": "dynamodb:{where}:table/{name}",
    "aws:elasticache/serverlessCache:ServerlessCache": "elasticache:{where}:serverlesscache:{name}",
    "aws:elasticache/user:User": "elasticache:{where}:user:{userId}",
    "aws:secretsmanager/secret:Secret": "secretsmanager:{where}:secret:{name}-abcdef",
}
"""AWS' ARNs, which the stand-in provider makes simpler: it answers all types alike."""


def real(policy, asked):
    """A policy as captured, with AWS' ARNs for the stand-in's."""
    where = f"eu-central-1:{ACCOUNT}"
    for one in asked:
        if one.type in FORMS:
            simple = f'"arn:aws:{one.type.split(":")[1].split("/")[0]}:{where}:{one.name}'
            arn = f'"arn:aws:{FORMS[one.type].format(where=where, **one.inputs)}'
            policy = re.sub(re.escape(simple) + '(?=["/:])', arn, policy)
    return json.loads(policy)


def test_units_do_no_more_than_the_boundary(asked_aws):
    key = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/0a1b2c3d"
    documents = written("aws", asked_aws, account=ACCOUNT, encryption_key=key)
    boundary = documents["orders-dev-boundary"]
    policies = {one.inputs["policy"] for one in asked_aws if one.type == "aws:iam/rolePolicy:RolePolicy"}
    allows = [one for policy in policies for one in real(policy, asked_aws)["Statement"] if one["Effect"] == "Allow"]
    assert len(allows) > 30
    for statement in allows:
        via = statement.get("Condition", {}).get("StringEquals", {}).get("kms:ViaService", [""])
        for action in statement["Action"]:
            for resource in statement["Resource"]:
                assert all(iam.allowed([boundary], action, resource, kms_ViaService=one) for one in via), (
                    action,
                    resource,
                )
    actions = {action for one in boundary["Statement"] for action in one["Action"]}
    unused = actions - {action for one in allows for action in one["Action"]}
    assert not unused, unused


def test_roles_are_passed_to_three_services_and_made_within_the_boundary(cloud, asked):
    if cloud == "azure":
        [condition] = [one["Condition"] for name, one in written(cloud, asked).items() if name == "condition"]
        role_ids = {
            one.inputs["roleDefinitionId"].rpartition("/")[2]
            for one in asked
            if one.type == "azure-native:authorization:RoleAssignment"
        }
        assert role_ids == {*ROLES, *FILES, ACR_PULL} and all(condition.count(role) == 2 for role in role_ids)
        assert "roleAssignments/write" in condition and "'ServicePrincipal'" in condition
        return
    allows = [one for one in statements(asked) if one["Effect"] == "Allow"]
    [passed] = [one for one in allows if "iam:PassRole" in one["Action"]]
    assert passed["Condition"]["StringEquals"]["iam:PassedToService"] == [
        "lambda.amazonaws.com",
        "scheduler.amazonaws.com",
        "events.amazonaws.com",  # the alarms' webhook
    ]
    assert passed["Resource"] == [f"arn:aws:iam::{ACCOUNT}:role/orders-dev-*"]
    [creation] = [one for one in allows if "iam:CreateRole" in one["Action"]]
    assert creation["Condition"] == {"StringLike": {"iam:PermissionsBoundary": BOUNDARY}}
    assert {"iam:PutRolePolicy", "iam:PutRolePermissionsBoundary", "iam:UpdateAssumeRolePolicy"} <= set(
        creation["Action"]
    )
    assert written(cloud, asked, account=ACCOUNT)["config"] == {"twofold:permissionsBoundary": BOUNDARY}
    key = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/1"
    [grant] = [one for one in statements(asked, encryption_key=key) if "kms:CreateGrant" in one["Action"]]
    assert grant["Resource"] == [key] and grant["Condition"] == {"Bool": {"kms:GrantIsForAWSResource": "true"}}


ASK = """
import json
from pathlib import Path
from api.manifest import SERVICE
from twofold.deploy import program
stack, root = "dev-{cloud}", Path.cwd()
found = program.planned(SERVICE, program.stack_config(root, stack, SERVICE), root, stack)
print(json.dumps(sorted(f"{{one.type}} {{one.name}}" for one in found)))
"""


def test_the_program_tells_without_an_engine_what_the_engine_is_asked_for(cloud):
    done = subprocess.run(
        [sys.executable, "-c", ASK.format(cloud=cloud)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == (ROOT / f"tests/contract/golden/resources-{cloud}.txt").read_text().splitlines()
