"""The deployer's least privilege on AWS, from what the stack's program asks for: managed policies, to be reviewed and attached."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from twofold.deploy.aws.grants import GRANTS, Grant
from twofold.deploy.config import StackConfig
from twofold.deploy.program import Asked, types

MOST_CHARACTERS = 6144
"""Of a managed policy, without white space."""
NO_CLOUD = ("pulumi:", "pulumi-python:", "random:")


def documents(config: StackConfig, prefix: str, asked: Iterable[Asked]) -> dict[str, dict[str, Any]]:
    """The policies by name, as few as their size allows. ConfigError names the types that have no line: they take one of yours."""
    partition = {"cn": "aws-cn", "us-gov": "aws-us-gov"}.get(config.region.rpartition("-")[0].rpartition("-")[0], "aws")
    known = {
        "z": config.dns_zone,
        "p": prefix,
        "u": prefix[:31].rstrip("-"),
        "r": config.region,
        "a": config.account or "*",
        "s": partition,
    }
    grants = [grant for type in types(asked, GRANTS, NO_CLOUD) for grant in GRANTS[type]]
    if config.encryption_key:
        key, through = config.encryption_key.removeprefix(f"arn:{partition}:"), {"kms:GrantIsForAWSResource": "true"}
        grants += [Grant("kms", "DescribeKey", key), Grant("kms", "CreateGrant", key, {"Bool": through})]
    merged: dict[str, set[str]] = {}
    for grant in grants:
        where = {"Resource": sorted(_arn(one, known) for one in grant.resources.split())} | _condition(
            grant, config, known
        )
        merged.setdefault(json.dumps(where), set()).update(
            f"{grant.service}:{action}" for action in grant.actions.split()
        )
    statements = [
        {"Effect": "Allow", "Action": sorted(actions), **json.loads(where)} for where, actions in sorted(merged.items())
    ]
    return {f"{prefix}-deployer-{index}": _document(part) for index, part in enumerate(_split(statements), 1)}


def _arn(resource: str, known: Mapping[str, str]) -> str:
    return resource if resource == "*" else f"arn:{known['s']}:" + resource.format(**known)


def _condition(grant: Grant, config: StackConfig, known: Mapping[str, str]) -> dict[str, Any]:
    match grant.condition:
        case None:
            return {}
        case {"boundary": True}:
            bound = {"StringEquals": {"iam:PermissionsBoundary": config.permissions_boundary}}
            return {"Condition": bound} if config.permissions_boundary else {}
        case {"ArnLike": given}:
            return {"Condition": {"ArnLike": {key: _arn(value, known) for key, value in given.items()}}}
    return {"Condition": grant.condition}


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
