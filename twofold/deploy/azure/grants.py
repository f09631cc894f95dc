"""What each type of resource on Azure takes of permissions; reviewed as a table.

Derived from the resource types that the program asks for and from Azure's own list of operations ("Azure permissions",
MicrosoftDocs/azure-docs); not yet tried on a real account. All of it is allowed within the stack's resource group; what lies
elsewhere is in `ELSEWHERE`. How a long operation goes, which Azure tells at the subscription (`…/locations/…`), needs no right of
its own: a contributor to one group has none either.
"""

from collections.abc import Mapping

from twofold.deploy.azure import triggers

_ALL = ("read", "write", "delete")
GRANTS: Mapping[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "azure-native:apimanagement:Api": ("Microsoft.ApiManagement/service/apis", _ALL, ()),
    "azure-native:apimanagement:ApiManagementService": (
        "Microsoft.ApiManagement/service", _ALL,
        ("Microsoft.ApiManagement/service/operationresults/read",),
    ),
    "azure-native:apimanagement:ApiPolicy": ("Microsoft.ApiManagement/service/apis/policies", _ALL, ()),
    "azure-native:app:ContainerApp": (
        "Microsoft.App/containerApps", _ALL, ("Microsoft.App/managedEnvironments/join/action",)
    ),
    "azure-native:app:ContainerAppsAuthConfig": ("Microsoft.App/containerApps/authConfigs", _ALL, ()),
    # With the log of a container that does not come up.
    "azure-native:app:ManagedEnvironment": ("Microsoft.App/managedEnvironments", _ALL, ("Microsoft.Insights/Logs/Read",)),
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
    "azure-native:cosmosdb:DatabaseAccount": ("Microsoft.DocumentDB/databaseAccounts", _ALL, ()),
    "azure-native:cosmosdb:SqlResourceSqlContainer": ("Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers", _ALL, ()),
    "azure-native:cosmosdb:SqlResourceSqlDatabase": ("Microsoft.DocumentDB/databaseAccounts/sqlDatabases", _ALL, ()),
    "azure-native:cosmosdb:SqlResourceSqlRoleAssignment": (
        "Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments", _ALL,
        ("Microsoft.DocumentDB/databaseAccounts/sqlRoleDefinitions/read",),
    ),
    "azure-native:dns:RecordSet": ("Microsoft.Network/dnsZones", (), ()),  # in its zone
    "azure-native:eventgrid:Topic": ("Microsoft.EventGrid/topics", _ALL, ()),
    "azure-native:frontdoor:Policy": ("Microsoft.Network/frontDoorWebApplicationFirewallPolicies", _ALL, ()),
    "azure-native:keyvault:Vault": ("Microsoft.KeyVault/vaults", _ALL, ()),
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
    "azure-native:redisenterprise:RedisEnterprise": ("Microsoft.Cache/redisEnterprise", _ALL, ()),
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
    # One Deploy, the sync of its triggers, and why an app does not answer: its host's status, its log.
    "pulumi-python:dynamic:Resource": (
        "Microsoft.Web/sites", (),
        ("Microsoft.Web/sites/publish/action", *triggers.ACTIONS,
         "Microsoft.Web/sites/hostruntime/host/read", "Microsoft.Insights/Logs/FunctionAppLogs/Read"),
    ),
}  # fmt: skip
"""A line for each type that the kit's components make: ARM's type, what is done with it, what else that takes."""
ELSEWHERE: Mapping[str, tuple[str, ...]] = {
    "apim": (
        "Microsoft.ApiManagement/service/read", "Microsoft.ApiManagement/service/operationresults/read",
        *(f"Microsoft.ApiManagement/service/{kind}/{verb}" for kind in ("apis", "apis/policies") for verb in _ALL),
    ),
    "dns_zone": (
        "Microsoft.Network/dnsZones/read",
        *(f"Microsoft.Network/dnsZones/{kind}/{verb}" for kind in ("A", "CNAME", "TXT") for verb in _ALL),
    ),
    "encryption_identity": (
        "Microsoft.ManagedIdentity/userAssignedIdentities/read", "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
    ),
    "log_workspace": (
        "Microsoft.OperationalInsights/workspaces/read", "Microsoft.OperationalInsights/workspaces/sharedKeys/action",
        *(f"Microsoft.OperationalInsights/workspaces/savedSearches/{verb}" for verb in _ALL),
    ),
    "registry": (
        "Microsoft.ContainerRegistry/registries/read", *(f"Microsoft.Authorization/roleAssignments/{verb}" for verb in _ALL),
    ),
    "subnets": (
        "Microsoft.Network/virtualNetworks/read", "Microsoft.Network/virtualNetworks/join/action",
        "Microsoft.Network/virtualNetworks/subnets/read", "Microsoft.Network/virtualNetworks/subnets/join/action",
    ),
}  # fmt: skip
"""What a stack does with what exists outside its group, by the field of its config that names it."""
