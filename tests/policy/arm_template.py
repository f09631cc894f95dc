"""A captured Azure stack as the ARM template that asks for the same, for a scanner to read.

azure-native's inputs are ARM's own properties with the envelope taken off: here it is put on again. Nothing is added that the stack
does not say; what ARM spells otherwise is in `RENAMED`.
"""

NAMESPACES = {
    "resources": "Microsoft.Resources", "storage": "Microsoft.Storage", "keyvault": "Microsoft.KeyVault",
    "cosmosdb": "Microsoft.DocumentDB", "web": "Microsoft.Web", "apimanagement": "Microsoft.ApiManagement",
    "eventgrid": "Microsoft.EventGrid", "managedidentity": "Microsoft.ManagedIdentity", "cdn": "Microsoft.Cdn",
    "authorization": "Microsoft.Authorization", "frontdoor": "Microsoft.Network",
    "operationalinsights": "Microsoft.OperationalInsights", "monitor": "Microsoft.Insights",
    "redisenterprise": "Microsoft.Cache", "network": "Microsoft.Network", "privatedns": "Microsoft.Network",
    "dns": "Microsoft.Network", "consumption": "Microsoft.Consumption",
    "applicationinsights": "Microsoft.Insights",
}  # fmt: skip
TYPES = {
    "StorageAccount": ("storageAccounts", "accountName"),
    "BlobContainer": ("storageAccounts/blobServices/containers", "accountName", "default", "containerName"),
    "Queue": ("storageAccounts/queueServices/queues", "accountName", "default", "queueName"),
    "Vault": ("vaults", "vaultName"),
    "DatabaseAccount": ("databaseAccounts", "accountName"),
    "SqlResourceSqlDatabase": ("databaseAccounts/sqlDatabases", "accountName", "databaseName"),
    "SqlResourceSqlContainer": (
        "databaseAccounts/sqlDatabases/containers",
        "accountName",
        "databaseName",
        "containerName",
    ),
    "SqlResourceSqlRoleAssignment": ("databaseAccounts/sqlRoleAssignments", "accountName", "roleAssignmentId"),
    "AppServicePlan": ("serverfarms", "name"),
    "WebApp": ("sites", "name"),
    "WebAppAuthSettingsV2": ("sites/config", "name", "authsettingsV2"),
    "WebAppScmAllowed": ("sites/basicPublishingCredentialsPolicies", "name", "scm"),
    "WebAppFtpAllowed": ("sites/basicPublishingCredentialsPolicies", "name", "ftp"),
    "ApiManagementService": ("service", "serviceName"),
    "Api": ("service/apis", "serviceName", "apiId"),
    "ApiPolicy": ("service/apis/policies", "serviceName", "apiId", "policyId"),
    "Topic": ("topics", "topicName"),
    "UserAssignedIdentity": ("userAssignedIdentities", "resourceName"),
    "RoleAssignment": ("roleAssignments", "roleAssignmentName"),
    "Profile": ("profiles", "profileName"),
    "AFDEndpoint": ("profiles/afdEndpoints", "profileName", "endpointName"),
    "AFDOriginGroup": ("profiles/originGroups", "profileName", "originGroupName"),
    "AFDOrigin": ("profiles/originGroups/origins", "profileName", "originGroupName", "originName"),
    "Route": ("profiles/afdEndpoints/routes", "profileName", "endpointName", "routeName"),
    "AFDCustomDomain": ("profiles/customDomains", "profileName", "customDomainName"),
    "RuleSet": ("profiles/ruleSets", "profileName", "ruleSetName"),
    "Rule": ("profiles/ruleSets/rules", "profileName", "ruleSetName", "ruleName"),
    "RecordSet": ("dnsZones", "zoneName", "recordType", "relativeRecordSetName"),
    "Budget": ("budgets", "budgetName"),
    "SecurityPolicy": ("profiles/securityPolicies", "profileName", "securityPolicyName"),
    "Workspace": ("workspaces", "workspaceName"),
    "Component": ("components", "resourceName"),
    "Workbook": ("workbooks", "resourceName"),
    "SavedSearch": ("workspaces/savedSearches", "workspaceName", "savedSearchId"),
    "ActionGroup": ("actionGroups", "actionGroupName"),
    "DiagnosticSetting": ("diagnosticSettings", "name"),
    "ScheduledQueryRule": ("scheduledQueryRules", "ruleName"),
    "RedisEnterprise": ("redisEnterprise", "clusterName"),
    "Database": ("redisEnterprise/databases", "clusterName", "databaseName"),
    "AccessPolicyAssignment": (
        "redisEnterprise/databases/accessPolicyAssignments",
        "clusterName",
        "databaseName",
        "accessPolicyAssignmentName",
    ),
    "VirtualNetwork": ("virtualNetworks", "virtualNetworkName"),
    "NatGateway": ("natGateways", "natGatewayName"),
    "PublicIPAddress": ("publicIPAddresses", "publicIpAddressName"),
    "PrivateEndpoint": ("privateEndpoints", "privateEndpointName"),
    "PrivateDnsZoneGroup": ("privateEndpoints/privateDnsZoneGroups", "privateEndpointName", "privateDnsZoneGroupName"),
    "PrivateZone": ("privateDnsZones", "privateZoneName"),
    "VirtualNetworkLink": ("privateDnsZones/virtualNetworkLinks", "privateZoneName", "virtualNetworkLinkName"),
    "Policy": ("FrontDoorWebApplicationFirewallPolicies", "policyName"),
}
"""azure-native's kinds as ARM's types, and what a resource's name is made of: inputs, or a word of its own."""
ENVELOPE = ("location", "tags", "sku", "kind", "identity", "zones")
RENAMED = {"enableHttpsTrafficOnly": "supportsHttpsTrafficOnly", "networkRuleSet": "networkAcls"}
LEFT_OUT = ("pulumi-python:dynamic:Resource", "azure-native:resources:ResourceGroup")
"""Not ARM: the artifact's upload. A group holds a template, and is in none."""


def convert(resources):
    """The template, and the logical name of each of its resources by "type.name" as the scanner names it."""
    converted, names = [], {}
    for urn, (token, inputs) in resources.items():
        if token in LEFT_OUT or token.startswith(("pulumi:", "random:")):
            continue
        _, module, kind = token.split(":")
        path, *parts = TYPES[kind]
        type, logical = f"{NAMESPACES[module]}/{path}", urn.rpartition("::")[2]
        # A role assignment's name is a GUID that the provider makes.
        name = logical if kind == "RoleAssignment" else "/".join(inputs.get(part, part) for part in parts)
        resource = {"type": type, "apiVersion": "2024-01-01", "name": name}
        resource |= {key: inputs[key] for key in ENVELOPE if key in inputs}
        own = {*ENVELOPE, *parts, "resourceGroupName", "properties"}
        rest = {RENAMED.get(key, key): value for key, value in inputs.items() if key not in own}
        resource["properties"] = inputs.get("properties", {}) | rest
        converted.append(resource)
        names[f"{type}.{name}"] = f"{token} {logical}"
    schema = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
    return {"$schema": schema, "contentVersion": "1.0.0.0", "resources": converted}, names
