"""What the program's resources say of each unit on Azure: its app, its environment, its identity's roles."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from twofold.deploy.output_placeholders import placeholder
from twofold.deploy.program import PlannedResource

IDENTITY = "azure-native:managedidentity:UserAssignedIdentity"
ASSIGNMENTS = ("azure-native:authorization:RoleAssignment", "azure-native:cosmosdb:SqlResourceSqlRoleAssignment")
CACHE_ASSIGNMENT = "azure-native:redisenterprise:AccessPolicyAssignment"


def units(planned: Iterable[PlannedResource]) -> Mapping[str, Mapping[str, Any]]:
    """By logical name: `runs`, `environment` (the host's own variables too), and `permissions` as roles on scopes."""
    resources = list(planned)
    return {
        one.name: {
            "runs": one.inputs.get("name") or one.inputs["containerAppName"],
            "environment": {pair["name"]: pair["value"] for pair in _variables(one) if "value" in pair},
            "permissions": list(_permissions(resources, placeholder(IDENTITY, one.name, "principalId"))),
        }
        for one in resources
        if one.type in ("azure-native:web:WebApp", "azure-native:app:ContainerApp")
    }


def _variables(app: PlannedResource) -> Iterable[Mapping[str, str]]:
    if "siteConfig" in app.inputs:
        return list(app.inputs["siteConfig"]["appSettings"])
    return list(app.inputs["template"]["containers"][0]["env"])


def _permissions(resources: Iterable[PlannedResource], principal: str) -> Iterator[Mapping[str, str]]:
    for one in resources:
        if one.type in ASSIGNMENTS and one.inputs.get("principalId") == principal:
            yield {"role": one.inputs["roleDefinitionId"], "scope": one.inputs["scope"]}
        if one.type == CACHE_ASSIGNMENT and one.inputs["user"]["objectId"] == principal:
            scope = f"{one.inputs['clusterName']}/databases/{one.inputs['databaseName']}"
            yield {"role": one.inputs["accessPolicyName"], "scope": scope}
