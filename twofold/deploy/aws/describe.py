"""What the program's resources say of each unit on AWS: its function, its environment, its policy."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from twofold.deploy.program import PlannedResource


def units(planned: Iterable[PlannedResource]) -> Mapping[str, Mapping[str, Any]]:
    """By logical name: `runs`, `environment`, and `permissions` as statements of a policy."""
    resources = list(planned)
    policies = {
        one.inputs["role"]: one.inputs["policy"] for one in resources if one.type == "aws:iam/rolePolicy:RolePolicy"
    }
    roles = {one.name: one.inputs["name"] for one in resources if one.type == "aws:iam/role:Role"}
    return {
        one.name: {
            "runs": one.inputs["name"],
            "environment": one.inputs["environment"]["variables"],
            "permissions": json.loads(policies[roles[one.name]])["Statement"],
        }
        for one in resources
        if one.type == "aws:lambda/function:Function"
    }
