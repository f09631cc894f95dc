"""A deployer is no administrator: each way to become one, tried on the policies and roles that `twofold deployer` prints."""

import json
from dataclasses import replace

import pytest

from api.manifest import SERVICE
from tests.engine.answers import ACCOUNT, SUBSCRIPTION
from tests.policy import abac, iam
from tests.stacks.options import ON, SHARED
from tests.stacks.stack import config
from twofold.deploy.aws import deployer as aws
from twofold.deploy.azure import deployer as azure
from twofold.deploy.config import parse
from twofold.deploy.program import PlannedResource

BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/orders-dev-boundary"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/orders-dev-http"
DEPLOYER = f"arn:aws:iam::{ACCOUNT}:role/orders-dev-deployer"
OTHERS = f"arn:aws:iam::{ACCOUNT}:role/billing-prod-http"
SECRETS_USER, OWNER, ACR_PULL = (
    "4633458b-17de-408a-b874-0445c86b69e6", "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "7f951dda-4ed3-4680-a7ca-43fe172d538d",
)  # fmt: skip
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/orders-dev"
WRITE, DELETE = (f"Microsoft.Authorization/roleAssignments/{verb}" for verb in ("write", "delete"))
REGISTRY = f"{SHARED}/Microsoft.ContainerRegistry/registries/company"


def printed(cloud, **changed):
    chosen = replace(parse(config(cloud), f"dev-{cloud}", SERVICE), **changed)
    module = aws if cloud == "aws" else azure
    inputs = {
        "roleDefinitionId": f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{SECRETS_USER}",
        "principalType": "ServicePrincipal",
    }
    return module.documents(chosen, "orders-dev", [PlannedResource(type, type, inputs) for type in module.GRANTS])


@pytest.fixture(scope="module")
def policies():
    documents = printed("aws", account=ACCOUNT)
    return [documents[name] for name in documents if name.startswith("orders-dev-deployer-")]


@pytest.mark.parametrize(
    ("action", "resource", "context"),
    [
        ("iam:CreateRole", ROLE, {}),  # without a boundary
        ("iam:CreateRole", ROLE, {"iam_PermissionsBoundary": "arn:aws:iam::aws:policy/AdministratorAccess"}),
        ("iam:CreateRole", OTHERS, {"iam_PermissionsBoundary": BOUNDARY}),
        ("iam:PutRolePermissionsBoundary", ROLE, {"iam_PermissionsBoundary": "arn:aws:iam::aws:policy/AdministratorAccess"}),
        ("iam:DeleteRolePermissionsBoundary", ROLE, {"iam_PermissionsBoundary": BOUNDARY}),
        ("iam:PutRolePolicy", ROLE, {}),  # of a role without a boundary
        ("iam:PutRolePolicy", OTHERS, {"iam_PermissionsBoundary": BOUNDARY}),
        ("iam:AttachRolePolicy", ROLE, {"iam_PermissionsBoundary": BOUNDARY}),
        ("iam:UpdateAssumeRolePolicy", ROLE, {}),
        ("iam:UpdateAssumeRolePolicy", OTHERS, {"iam_PermissionsBoundary": BOUNDARY}),
        ("iam:PassRole", OTHERS, {"iam_PassedToService": "lambda.amazonaws.com"}),
        ("iam:PassRole", ROLE, {"iam_PassedToService": "ec2.amazonaws.com"}),
        ("iam:PassRole", DEPLOYER, {"iam_PassedToService": "lambda.amazonaws.com"}),
        ("iam:PutRolePolicy", DEPLOYER, {"iam_PermissionsBoundary": BOUNDARY}),
        ("iam:UpdateAssumeRolePolicy", DEPLOYER, {"iam_PermissionsBoundary": BOUNDARY}),
        ("iam:DeleteRole", DEPLOYER, {}),
        ("iam:CreatePolicy", f"arn:aws:iam::{ACCOUNT}:policy/orders-dev-mine", {}),
        ("iam:CreatePolicyVersion", BOUNDARY, {}),
        ("iam:SetDefaultPolicyVersion", BOUNDARY, {}),
        ("iam:DeletePolicy", BOUNDARY, {}),
        ("iam:CreatePolicyVersion", f"arn:aws:iam::{ACCOUNT}:policy/orders-dev-deployer-1", {}),
        ("iam:AttachUserPolicy", f"arn:aws:iam::{ACCOUNT}:user/me", {}),
        ("iam:CreateAccessKey", f"arn:aws:iam::{ACCOUNT}:user/admin", {}),
        ("iam:CreateServiceLinkedRole", f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/x", {"iam_AWSServiceName": "x"}),
        ("sts:AssumeRole", OTHERS, {}),
        ("lambda:UpdateFunctionCode", f"arn:aws:lambda:eu-central-1:{ACCOUNT}:function:billing-prod-http", {}),
        ("lambda:UpdateFunctionConfiguration", f"arn:aws:lambda:eu-central-1:{ACCOUNT}:function:orders-prod-http", {}),
        ("lambda:AddPermission", f"arn:aws:lambda:eu-central-1:{ACCOUNT}:function:billing-prod-http", {}),
        ("lambda:CreateEventSourceMapping", "*", {
            "lambda_FunctionArn": f"arn:aws:lambda:eu-central-1:{ACCOUNT}:function:billing-prod-http"}),
        ("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:eu-central-1:{ACCOUNT}:secret:orders-dev/key-abcdef", {}),
        ("dynamodb:GetItem", f"arn:aws:dynamodb:eu-central-1:{ACCOUNT}:table/orders-dev-events", {}),
    ],
)  # fmt: skip
def test_aws_refuses(policies, action, resource, context):
    assert not iam.allowed(policies, action, resource, **context)
    # Whoever else allows it: for what is the deployer's own or the boundary's, a denial stands in its policies.
    if resource in (DEPLOYER, BOUNDARY) or action == "iam:DeleteRolePermissionsBoundary":
        everything = {"Statement": [{"Effect": "Allow", "Action": ["*"], "Resource": ["*"]}]}
        assert not iam.allowed([*policies, everything], action, resource, **context)


def test_aws_allows_what_a_stack_with_the_boundary_does(policies):
    bounded = {"iam_PermissionsBoundary": BOUNDARY}
    for action in ("CreateRole", "PutRolePolicy", "UpdateAssumeRolePolicy", "PutRolePermissionsBoundary"):
        assert iam.allowed(policies, f"iam:{action}", ROLE, **bounded), action
    assert iam.allowed(policies, "iam:PassRole", ROLE, iam_PassedToService="lambda.amazonaws.com")
    assert iam.allowed(policies, "iam:DeleteRole", ROLE) and iam.allowed(policies, "iam:GetPolicy", BOUNDARY)
    assert iam.allowed(
        policies, "lambda:UpdateFunctionCode", f"arn:aws:lambda:eu-central-1:{ACCOUNT}:function:orders-dev-http"
    )


def test_a_role_with_any_policy_does_no_more_than_its_boundary(policies):
    documents = printed("aws", account=ACCOUNT)
    anything = {"Statement": [{"Effect": "Allow", "Action": ["*"], "Resource": ["*"]}]}

    def may(action, resource, **context):
        return all(
            iam.allowed([one], action, resource, **context) for one in (anything, documents["orders-dev-boundary"])
        )

    assert may("dynamodb:PutItem", f"arn:aws:dynamodb:eu-central-1:{ACCOUNT}:table/orders-dev-events")
    assert not may("dynamodb:PutItem", f"arn:aws:dynamodb:eu-central-1:{ACCOUNT}:table/billing-prod-events")
    assert not may("iam:CreateUser", f"arn:aws:iam::{ACCOUNT}:user/admin")
    assert not may("sts:AssumeRole", OTHERS)


def test_a_boundary_and_a_deployer_of_ones_own_are_kept_too():
    own, mine = f"arn:aws:iam::{ACCOUNT}:policy/company", f"arn:aws:iam::{ACCOUNT}:role/company/deploys"
    documents = printed("aws", account=ACCOUNT, permissions_boundary=own, assume_role=mine)
    assert documents["config"] == {"twofold:permissionsBoundary": own}
    policies = [documents[name] for name in documents if name.startswith("orders-dev-deployer-")]
    assert iam.allowed(policies, "iam:CreateRole", ROLE, iam_PermissionsBoundary=own)
    assert not iam.allowed(policies, "iam:CreateRole", ROLE, iam_PermissionsBoundary=BOUNDARY)
    policies.append({"Statement": [{"Effect": "Allow", "Action": ["*"], "Resource": ["*"]}]})
    assert not iam.allowed(policies, "iam:CreatePolicyVersion", own)
    assert not iam.allowed(policies, "iam:AttachRolePolicy", mine)


def test_without_an_account_the_boundary_is_one_of_any():
    documents = printed("aws")
    assert documents["config"] == {"twofold:permissionsBoundary": "arn:aws:iam::<account>:policy/orders-dev-boundary"}
    policies = [documents[name] for name in documents if name.startswith("orders-dev-deployer-")]
    assert iam.allowed(policies, "iam:CreateRole", ROLE, iam_PermissionsBoundary=BOUNDARY)
    assert not iam.allowed(
        policies, "iam:CreateRole", ROLE, iam_PermissionsBoundary=BOUNDARY.replace("boundary", "mine")
    )


def elsewhere():
    return printed(
        "azure", subscription=SUBSCRIPTION, registry=REGISTRY, dns_zone=ON["azure"]["dnsZone"],
        log_workspace=ON["azure"]["logWorkspace"], subnets=tuple(ON["azure"]["subnets"].split(",")),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("action", "scope", "role", "kind"),
    [
        (WRITE, GROUP, OWNER, "ServicePrincipal"),
        (WRITE, GROUP, SECRETS_USER, "User"),
        (WRITE, f"/subscriptions/{SUBSCRIPTION}", SECRETS_USER, "ServicePrincipal"),
        (WRITE, f"/subscriptions/{SUBSCRIPTION}/resourceGroups/billing-prod", SECRETS_USER, "ServicePrincipal"),
        (WRITE, f"{GROUP}-2", SECRETS_USER, "ServicePrincipal"),
        (WRITE, ON["azure"]["dnsZone"], OWNER, "ServicePrincipal"),
        (WRITE, REGISTRY, OWNER, "ServicePrincipal"),
        (DELETE, GROUP, OWNER, "User"),
        (DELETE, f"/subscriptions/{SUBSCRIPTION}", SECRETS_USER, "ServicePrincipal"),
        ("Microsoft.Authorization/roleDefinitions/write", GROUP, "", ""),
        ("Microsoft.Storage/storageAccounts/delete", f"{SHARED}/Microsoft.Storage/storageAccounts/company", "", ""),
        ("Microsoft.Storage/storageAccounts/delete", REGISTRY, "", ""),
        ("Microsoft.Network/virtualNetworks/delete", ON["azure"]["subnets"].partition("/subnets/")[0], "", ""),
        ("Microsoft.Resources/subscriptions/resourceGroups/write", f"/subscriptions/{SUBSCRIPTION}", "", ""),
    ],
)
def test_azure_refuses(action, scope, role, kind):
    assert not abac.allowed(elsewhere(), action, scope, RoleDefinitionId=role, PrincipalType=kind)


def test_azure_allows_what_a_stack_does():
    documents, zone = elsewhere(), ON["azure"]["dnsZone"]
    request = {"RoleDefinitionId": SECRETS_USER, "PrincipalType": "ServicePrincipal"}
    vault = f"{GROUP}/providers/Microsoft.KeyVault/vaults/orders-dev"
    assert abac.allowed(documents, WRITE, vault, **request) and abac.allowed(documents, DELETE, vault, **request)
    assert abac.allowed(documents, WRITE, REGISTRY, **request)
    assert abac.allowed(documents, "Microsoft.Resources/subscriptions/resourceGroups/write", GROUP)
    assert abac.allowed(documents, "Microsoft.Network/dnsZones/CNAME/write", f"{zone}/CNAME/orders")
    subnet = ON["azure"]["subnets"].partition(",")[0]
    assert abac.allowed(documents, "Microsoft.Network/virtualNetworks/subnets/join/action", subnet)
    assert set(printed("azure", subscription=SUBSCRIPTION)["scopes"]) == {"orders-dev-deployer"}


def test_what_is_printed_is_json():
    for cloud in ("aws", "azure"):
        assert json.loads(json.dumps(printed(cloud))) == printed(cloud)
