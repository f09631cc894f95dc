"""The deployer's least privilege on AWS, from what the stack's program asks for: managed policies, to be reviewed and attached.

A deployer makes roles, so it could make itself an administrator: by a role with any policy, which it hands to a function of its
own. So it makes roles within a boundary alone (`boundary`), which is printed beside and is not the deployer's to change; nor are
its own policies and role, whoever else may allow it.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from twofold.deploy.aws.boundary import BOUNDARY, keyed
from twofold.deploy.aws.grants import ALWAYS, GRANTS, Grant
from twofold.deploy.config import StackConfig
from twofold.deploy.program import PlannedResource, types

MOST_CHARACTERS = 6144
"""Of a managed policy, without white space."""
NO_CLOUD = ("pulumi:", "pulumi-python:", "random:")
KEY = "twofold:permissionsBoundary"
_KEPT = ("iam:CreatePolicyVersion", "iam:DeletePolicy", "iam:DeletePolicyVersion", "iam:SetDefaultPolicyVersion")
_SELF = (
    "iam:AttachRolePolicy", "iam:CreateRole", "iam:DeleteRole", "iam:DeleteRolePermissionsBoundary", "iam:DeleteRolePolicy",
    "iam:DetachRolePolicy", "iam:PassRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy",
    "iam:UpdateAssumeRolePolicy", "iam:UpdateRole",
)  # fmt: skip


def documents(config: StackConfig, prefix: str, resources: Iterable[PlannedResource]) -> dict[str, dict[str, Any]]:
    """The policies by name, as few as their size allows; the boundary's; under `config` the key that makes a stack keep to it.

    ConfigError names the types that have no line: they take one of yours.
    """
    known = _known(config, prefix)
    grants = [*ALWAYS, *(grant for type in types(resources, GRANTS, NO_CLOUD) for grant in GRANTS[type])]
    bound = [*BOUNDARY]
    if config.encryption_key:
        key = config.encryption_key.partition(":")[2].partition(":")[2]  # behind its partition
        grants += _on_key(key)
        bound.append(keyed(key))
    if config.image:
        grants.append(_of_image(config.image))
    statements = [*_merged(grants, known), *_never(config, known)]
    policies = {f"{prefix}-deployer-{index}": _document(part) for index, part in enumerate(_split(statements), 1)}
    boundary = {f"{prefix}-boundary": _document(_merged(bound, known))}
    return policies | boundary | {"config": {KEY: known["boundary"].replace("::*:", "::<account>:")}}


def _known(config: StackConfig, prefix: str) -> dict[str, str]:
    partition = {"cn": "aws-cn", "us-gov": "aws-us-gov"}.get(config.region.rpartition("-")[0].rpartition("-")[0], "aws")
    account = config.account or "*"
    return {
        "z": config.dns_zone,
        "p": prefix,
        "b": prefix[:29],
        "u": prefix[:31].rstrip("-"),
        "r": config.region,
        "a": account,
        "s": partition,
        "boundary": config.permissions_boundary or f"arn:{partition}:iam::{account}:policy/{prefix}-boundary",
    }


def _on_key(key: str) -> tuple[Grant, ...]:
    """What AWS asks of who makes a table, a secret or a cache with a key of the customer's."""
    through = {"kms:ViaService": ["dynamodb.{r}.amazonaws.com", "secretsmanager.{r}.amazonaws.com"]}
    return (
        Grant("kms", "DescribeKey", key),
        Grant("kms", "CreateGrant", key, {"Bool": {"kms:GrantIsForAWSResource": "true"}}),
        Grant("kms", "Encrypt Decrypt ReEncryptFrom ReEncryptTo GenerateDataKey", key, {"StringEquals": through}),
    )


def _of_image(image: str) -> Grant:
    """Lambda pulls an image as who makes the function, and lets itself into its repository's policy."""
    registry, _, name = image.partition("@")[0].partition("/")
    account, _, _, region = registry.split(".")[:4]
    actions = "BatchGetImage GetDownloadUrlForLayer GetRepositoryPolicy SetRepositoryPolicy"
    return Grant("ecr", actions, f"ecr:{region}:{account}:repository/{name}")


def _never(config: StackConfig, known: Mapping[str, str]) -> list[dict[str, Any]]:
    policies = [f"iam::{{a}}:policy/{{p}}-{name}" for name in ("boundary", "deployer-*")]
    protected = sorted({known["boundary"], *(_arn(policy, known) for policy in policies)})
    own = sorted({_arn("iam::{a}:role/{p}-deployer*", known), *filter(None, [config.assume_role])})
    return [
        {"Effect": "Deny", "Action": list(_KEPT), "Resource": protected},
        {"Effect": "Deny", "Action": list(_SELF), "Resource": own},
        {"Effect": "Deny", "Action": ["iam:DeleteRolePermissionsBoundary"], "Resource": ["*"]},
    ]


def _merged(grants: Iterable[Grant], known: Mapping[str, str]) -> list[dict[str, Any]]:
    """Statements of these grants, one for each place and condition."""
    merged: dict[str, set[str]] = {}
    for grant in grants:
        where: dict[str, Any] = {"Resource": sorted(_arn(one, known) for one in grant.resources.split())}
        if grant.condition:
            where["Condition"] = _filled(grant.condition, known)
        names = merged.setdefault(json.dumps(where), set())
        names |= {f"{grant.service}:{action}" for action in grant.actions.split()}
    return [
        {"Effect": "Allow", "Action": sorted(actions), **json.loads(where)} for where, actions in sorted(merged.items())
    ]


def _arn(resource: str, known: Mapping[str, str]) -> str:
    filled = resource.format(**known)
    return filled if filled == "*" or filled.startswith("arn:") else f"arn:{known['s']}:{filled}"


def _filled(value: Any, known: Mapping[str, str]) -> Any:
    match value:
        case str():
            return value.format(**known)
        case list():
            return [_filled(one, known) for one in value]
    return {key: _filled(one, known) for key, one in value.items()}


def _document(statements: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def size(document: Mapping[str, Any]) -> int:
    """A policy's characters as IAM counts them."""
    return len(json.dumps(document, separators=(",", ":")))


def _split(statements: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    parts: list[list[Mapping[str, Any]]] = [[]]
    for statement in statements:
        if parts[-1] and size(_document([*parts[-1], statement])) > MOST_CHARACTERS:
            parts.append([])
        parts[-1].append(statement)
    return parts
