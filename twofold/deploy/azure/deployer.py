"""The deployer's least privilege on Azure, from what the stack's program asks for: a custom role, and a condition to give it under.

Derived from the resource types that the program asks for; not yet tried on a real account. The condition bounds what an assignment
of this role may hand on: only the roles that the stack gives to its own identities.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from twofold.deploy.config import ConfigError, StackConfig
from twofold.deploy.program import NOBODY, Asked

_ALL = ("read", "write", "delete")
ARM: Mapping[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "azure-native:apimanagement:Api": ("Microsoft.ApiManagement/service/apis", _ALL, ()),
    "azure-native:apimanagement:ApiManagementService": (
        "Microsoft.ApiManagement/service", _ALL,
        ("Microsoft.ApiManagement/service/operationresults/read", "Microsoft.ApiManagement/locations/deletedservices/delete"),
    ),
    "azure-native:apimanagement:ApiPolicy": ("Microsoft.ApiManagement/service/apis/policies", _ALL, ()),
    "azure-native:applicationinsights:Component": ("Microsoft.Insights/components", _ALL, ()),
    "azure-native:authorization:RoleAssignment": (
        "Microsoft.Authorization/roleAssignments", _ALL, ("Microsoft.Authorization/roleDefinitions/read",)
    ),
    "azure-native:cdn:AFDCustomDomain": ("Microsoft.Cdn/profiles/customDomains", _ALL, ()),
    "azure-native:cdn:Rule": ("Microsoft.Cdn/profiles/ruleSets/rules", _ALL, ()),
    "azure-native:cdn:RuleSet": ("Microsoft.Cdn/profiles/ruleSets", _ALL, ()),
    "azure-native:consumption:Budget": ("Microsoft.Consumption/budgets", _ALL, ()),
    "azure-native:dns:RecordSet": (
        "Microsoft.Network/dnsZones", ("read",),
        tuple(f"Microsoft.Network/dnsZones/{kind}/{verb}" for kind in ("A", "CNAME", "TXT") for verb in _ALL),
    ),
    "azure-native:network:NatGateway": ("Microsoft.Network/natGateways", _ALL, ("Microsoft.Network/natGateways/join/action",)),
    "azure-native:network:PrivateDnsZoneGroup": (
        "Microsoft.Network/privateEndpoints/privateDnsZoneGroups", _ALL, ("Microsoft.Network/privateDnsZones/join/action",)
    ),
    "azure-native:network:PrivateEndpoint": (
        "Microsoft.Network/privateEndpoints", _ALL,
        (
            "Microsoft.Network/virtualNetworks/subnets/join/action",
            "Microsoft.DocumentDB/databaseAccounts/PrivateEndpointConnectionsApproval/action",
            "Microsoft.KeyVault/vaults/PrivateEndpointConnectionsApproval/action",
            "Microsoft.Storage/storageAccounts/PrivateEndpointConnectionsApproval/action",
            "Microsoft.Cache/redisEnterprise/PrivateEndpointConnectionsApproval/action",
            "Microsoft.EventGrid/topics/PrivateEndpointConnectionsApproval/action",
        ),
    ),
    "azure-native:network:PublicIPAddress": (
        "Microsoft.Network/publicIPAddresses", _ALL, ("Microsoft.Network/publicIPAddresses/join/action",)
    ),
    "azure-native:network:VirtualNetwork": (
        "Microsoft.Network/virtualNetworks", _ALL,
        ("Microsoft.Network/virtualNetworks/subnets/read", "Microsoft.Network/virtualNetworks/subnets/write",
         "Microsoft.Network/virtualNetworks/join/action"),
    ),
    "azure-native:privatedns:PrivateZone": ("Microsoft.Network/privateDnsZones", _ALL, ()),
    "azure-native:privatedns:VirtualNetworkLink": ("Microsoft.Network/privateDnsZones/virtualNetworkLinks", _ALL, ()),
    "azure-native:cdn:AFDEndpoint": ("Microsoft.Cdn/profiles/afdEndpoints", _ALL, ()),
    "azure-native:cdn:AFDOrigin": ("Microsoft.Cdn/profiles/originGroups/origins", _ALL, ()),
    "azure-native:cdn:AFDOriginGroup": ("Microsoft.Cdn/profiles/originGroups", _ALL, ()),
    "azure-native:cdn:Profile": ("Microsoft.Cdn/profiles", _ALL, ("Microsoft.Cdn/operationresults/read",)),
    "azure-native:cdn:Route": ("Microsoft.Cdn/profiles/afdEndpoints/routes", _ALL, ()),
    "azure-native:cdn:SecurityPolicy": (
        "Microsoft.Cdn/profiles/securityPolicies", _ALL, ("Microsoft.Network/frontDoorWebApplicationFirewallPolicies/join/action",)
    ),
    "azure-native:cosmosdb:DatabaseAccount": (
        "Microsoft.DocumentDB/databaseAccounts", _ALL, ("Microsoft.DocumentDB/locations/operationResults/read",)
    ),
    "azure-native:cosmosdb:SqlResourceSqlContainer": ("Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers", _ALL, ()),
    "azure-native:cosmosdb:SqlResourceSqlDatabase": ("Microsoft.DocumentDB/databaseAccounts/sqlDatabases", _ALL, ()),
    "azure-native:cosmosdb:SqlResourceSqlRoleAssignment": (
        "Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments", _ALL,
        ("Microsoft.DocumentDB/databaseAccounts/sqlRoleDefinitions/read",),
    ),
    "azure-native:eventgrid:Topic": ("Microsoft.EventGrid/topics", _ALL, ()),
    "azure-native:frontdoor:Policy": ("Microsoft.Network/frontDoorWebApplicationFirewallPolicies", _ALL, ()),
    "azure-native:keyvault:Vault": ("Microsoft.KeyVault/vaults", _ALL, ("Microsoft.KeyVault/locations/operationResults/read",)),
    "azure-native:managedidentity:UserAssignedIdentity": (
        "Microsoft.ManagedIdentity/userAssignedIdentities", _ALL,
        ("Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",),
    ),
    "azure-native:app:ContainerApp": (
        "Microsoft.App/containerApps", _ALL,
        ("Microsoft.App/managedEnvironments/join/action", "Microsoft.App/locations/containerappOperationStatuses/read"),
    ),
    "azure-native:app:ContainerAppsAuthConfig": ("Microsoft.App/containerApps/authConfigs", _ALL, ()),
    "azure-native:app:ManagedEnvironment": ("Microsoft.App/managedEnvironments", _ALL, ()),
    "azure-native:applicationinsights:Workbook": ("Microsoft.Insights/workbooks", _ALL, ()),
    "azure-native:monitor:ActionGroup": ("Microsoft.Insights/actionGroups", _ALL, ()),
    "azure-native:operationalinsights:SavedSearch": ("Microsoft.OperationalInsights/workspaces/savedSearches", _ALL, ()),
    "azure-native:monitor:DiagnosticSetting": ("Microsoft.Insights/diagnosticSettings", _ALL, ()),
    "azure-native:monitor:ScheduledQueryRule": ("Microsoft.Insights/scheduledQueryRules", _ALL, ()),
    "azure-native:operationalinsights:Workspace": (
        "Microsoft.OperationalInsights/workspaces", _ALL, ("Microsoft.OperationalInsights/workspaces/sharedKeys/action",)
    ),
    "azure-native:redisenterprise:AccessPolicyAssignment": (
        "Microsoft.Cache/redisEnterprise/databases/accessPolicyAssignments", _ALL, ()
    ),
    "azure-native:redisenterprise:Database": ("Microsoft.Cache/redisEnterprise/databases", _ALL, ()),
    "azure-native:redisenterprise:RedisEnterprise": (
        "Microsoft.Cache/redisEnterprise", _ALL, ("Microsoft.Cache/locations/operationresults/read",)
    ),
    "azure-native:resources:ResourceGroup": ("Microsoft.Resources/subscriptions/resourceGroups", _ALL, ()),
    "azure-native:storage:BlobContainer": ("Microsoft.Storage/storageAccounts/blobServices/containers", _ALL, ()),
    "azure-native:storage:Queue": ("Microsoft.Storage/storageAccounts/queueServices/queues", _ALL, ()),
    "azure-native:storage:StorageAccount": ("Microsoft.Storage/storageAccounts", _ALL, ()),
    "azure-native:web:AppServicePlan": ("Microsoft.Web/serverfarms", _ALL, ("Microsoft.Web/serverfarms/join/action",)),
    "azure-native:web:WebApp": (
        "Microsoft.Web/sites", _ALL, ("Microsoft.Web/sites/config/read", "Microsoft.Web/sites/config/write",
                                      "Microsoft.Web/sites/config/list/action"),
    ),
    "azure-native:web:WebAppAuthSettingsV2": (
        "Microsoft.Web/sites/config", ("read", "write"), ("Microsoft.Web/sites/config/list/action",)
    ),
    "pulumi-python:dynamic:Resource": ("Microsoft.Web/sites/publish", ("action",), ()),
}  # fmt: skip
"""A line for each type that the kit's components make: ARM's type, what is done with it, what else that takes."""
NO_CLOUD = ("pulumi:", "random:")
_ASSIGNMENTS = "Microsoft.Authorization/roleAssignments"


def namespaces(asked: Iterable[Asked]) -> set[str]:
    """The resource providers that a subscription must have registered. ConfigError names the types that have no line."""
    found = {ARM[type][0].partition("/")[0] for type in _types(asked)}
    return found - {"Microsoft.Resources", "Microsoft.Authorization"}  # always there


def documents(config: StackConfig, prefix: str, asked: Iterable[Asked]) -> dict[str, dict[str, Any]]:
    """The role definition by its name, and under `condition` what its assignment is to be made under, with version 2.0."""
    asked = tuple(asked)
    actions: set[str] = set()
    for type in _types(asked):
        path, verbs, more = ARM[type]
        actions |= {f"{path}/{verb}" for verb in verbs} | set(more)
    given = [one.inputs for one in asked if one.type == "azure-native:authorization:RoleAssignment"]
    name = f"{prefix}-deployer"
    definition = {
        "Name": name, "IsCustom": True, "Description": f"Deploys the stack {prefix}, generated by twofold deployer",
        "Actions": sorted(actions), "NotActions": [], "DataActions": [], "NotDataActions": [],
        "AssignableScopes": [f"/subscriptions/{config.subscription or NOBODY}"],
    }  # fmt: skip
    return {name: definition} | ({"condition": {"Condition": _condition(given), "Version": "2.0"}} if given else {})


def _types(asked: Iterable[Asked]) -> list[str]:
    types = sorted({one.type for one in asked if not one.type.startswith(NO_CLOUD)})
    if unknown := [type for type in types if type not in ARM]:
        raise ConfigError(f"no permissions are known for {', '.join(unknown)}: write them into a role of your own")
    return types


def _condition(assignments: Sequence[Mapping[str, Any]]) -> str:
    roles = ", ".join(sorted({str(one["roleDefinitionId"]).rpartition("/")[2] for one in assignments}))
    allowed = [f":RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {{{roles}}}"]
    if all(one.get("principalType") == "ServicePrincipal" for one in assignments):  # Azure finds out what is not said
        allowed.append(":PrincipalType] ForAnyOfAnyValues:StringEqualsIgnoreCase {'ServicePrincipal'}")
    return " AND ".join(
        f"((!(ActionMatches{{'{_ASSIGNMENTS}/{verb}'}})) OR "
        f"({' AND '.join(f'@{source}[{_ASSIGNMENTS}{one}' for one in allowed)}))"
        for verb, source in (("write", "Request"), ("delete", "Resource"))
    )
