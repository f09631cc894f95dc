"""What each type of resource on Azure takes of permissions; reviewed as a table.

Derived from the resource types that the program asks for; not yet tried on a real account.
"""

from collections.abc import Mapping

_ALL = ("read", "write", "delete")
GRANTS: Mapping[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "azure-native:apimanagement:Api": ("Microsoft.ApiManagement/service/apis", _ALL, ()),
    "azure-native:apimanagement:ApiManagementService": (
        "Microsoft.ApiManagement/service", _ALL,
        ("Microsoft.ApiManagement/service/operationresults/read", "Microsoft.ApiManagement/locations/deletedservices/delete"),
    ),
    "azure-native:apimanagement:ApiPolicy": ("Microsoft.ApiManagement/service/apis/policies", _ALL, ()),
    "azure-native:app:ContainerApp": (
        "Microsoft.App/containerApps", _ALL,
        ("Microsoft.App/managedEnvironments/join/action", "Microsoft.App/locations/containerappOperationStatuses/read"),
    ),
    "azure-native:app:ContainerAppsAuthConfig": ("Microsoft.App/containerApps/authConfigs", _ALL, ()),
    "azure-native:app:ManagedEnvironment": ("Microsoft.App/managedEnvironments", _ALL, ()),
    "azure-native:applicationinsights:Component": ("Microsoft.Insights/components", _ALL, ()),
    "azure-native:applicationinsights:Workbook": ("Microsoft.Insights/workbooks", _ALL, ()),
    "azure-native:authorization:RoleAssignment": (
        "Microsoft.Authorization/roleAssignments", _ALL, ("Microsoft.Authorization/roleDefinitions/read",)
    ),
    "azure-native:cdn:AFDCustomDomain": ("Microsoft.Cdn/profiles/customDomains", _ALL, ()),
    "azure-native:cdn:AFDEndpoint": ("Microsoft.Cdn/profiles/afdEndpoints", _ALL, ()),
    "azure-native:cdn:AFDOrigin": ("Microsoft.Cdn/profiles/originGroups/origins", _ALL, ()),
    "azure-native:cdn:AFDOriginGroup": ("Microsoft.Cdn/profiles/originGroups", _ALL, ()),
    "azure-native:cdn:Profile": ("Microsoft.Cdn/profiles", _ALL, ("Microsoft.Cdn/operationresults/read",)),
    "azure-native:cdn:Route": ("Microsoft.Cdn/profiles/afdEndpoints/routes", _ALL, ()),
    "azure-native:cdn:Rule": ("Microsoft.Cdn/profiles/ruleSets/rules", _ALL, ()),
    "azure-native:cdn:RuleSet": ("Microsoft.Cdn/profiles/ruleSets", _ALL, ()),
    "azure-native:cdn:SecurityPolicy": (
        "Microsoft.Cdn/profiles/securityPolicies", _ALL, ("Microsoft.Network/frontDoorWebApplicationFirewallPolicies/join/action",)
    ),
    "azure-native:consumption:Budget": ("Microsoft.Consumption/budgets", _ALL, ()),
    "azure-native:cosmosdb:DatabaseAccount": (
        "Microsoft.DocumentDB/databaseAccounts", _ALL, ("Microsoft.DocumentDB/locations/operationResults/read",)
    ),
    "azure-native:cosmosdb:SqlResourceSqlContainer": ("Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers", _ALL, ()),
    "azure-native:cosmosdb:SqlResourceSqlDatabase": ("Microsoft.DocumentDB/databaseAccounts/sqlDatabases", _ALL, ()),
    "azure-native:cosmosdb:SqlResourceSqlRoleAssignment": (
        "Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments", _ALL,
        ("Microsoft.DocumentDB/databaseAccounts/sqlRoleDefinitions/read",),
    ),
    "azure-native:dns:RecordSet": (
        "Microsoft.Network/dnsZones", ("read",),
        tuple(f"Microsoft.Network/dnsZones/{kind}/{verb}" for kind in ("A", "CNAME", "TXT") for verb in _ALL),
    ),
    "azure-native:eventgrid:Topic": ("Microsoft.EventGrid/topics", _ALL, ()),
    "azure-native:frontdoor:Policy": ("Microsoft.Network/frontDoorWebApplicationFirewallPolicies", _ALL, ()),
    "azure-native:keyvault:Vault": ("Microsoft.KeyVault/vaults", _ALL, ("Microsoft.KeyVault/locations/operationResults/read",)),
    "azure-native:managedidentity:UserAssignedIdentity": (
        "Microsoft.ManagedIdentity/userAssignedIdentities", _ALL,
        ("Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",),
    ),
    "azure-native:monitor:ActionGroup": ("Microsoft.Insights/actionGroups", _ALL, ()),
    "azure-native:monitor:DiagnosticSetting": ("Microsoft.Insights/diagnosticSettings", _ALL, ()),
    "azure-native:monitor:ScheduledQueryRule": ("Microsoft.Insights/scheduledQueryRules", _ALL, ()),
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
    "azure-native:operationalinsights:SavedSearch": ("Microsoft.OperationalInsights/workspaces/savedSearches", _ALL, ()),
    "azure-native:operationalinsights:Workspace": (
        "Microsoft.OperationalInsights/workspaces", _ALL, ("Microsoft.OperationalInsights/workspaces/sharedKeys/action",)
    ),
    "azure-native:privatedns:PrivateZone": ("Microsoft.Network/privateDnsZones", _ALL, ()),
    "azure-native:privatedns:VirtualNetworkLink": ("Microsoft.Network/privateDnsZones/virtualNetworkLinks", _ALL, ()),
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
    "azure-native:web:WebAppFtpAllowed": (
        "Microsoft.Web/sites/basicPublishingCredentialsPolicies/ftp", ("read", "write"), ()
    ),
    "azure-native:web:WebAppScmAllowed": (
        "Microsoft.Web/sites/basicPublishingCredentialsPolicies/scm", ("read", "write"), ()
    ),
    "pulumi-python:dynamic:Resource": ("Microsoft.Web/sites/publish", ("action",), ()),
}  # fmt: skip
"""A line for each type that the kit's components make: ARM's type, what is done with it, what else that takes."""
