"""What each cloud takes for a resource's name, by type: the property and the whole pattern; NAMELESS have none of ours.

AWS: the API's own models (botocore), the developer guides' quotas where those say nothing (functions, queues, dashboards, topics),
aws-cdk#36459 for caches and their user groups; a bucket's prefix leaves 26 of its 63 characters to the provider.
Azure: "Naming rules and restrictions for Azure resources", and each service's own page where that has no line.
"""

import re

_WORD = r"[\w+=,.@-]"
_TITLE = r"[\w\s+=,.@-]"
AWS = {
    "aws:apigatewayv2/api:Api": {"name": r".{1,128}"},
    "aws:apigatewayv2/authorizer:Authorizer": {"name": r".{1,128}"},
    "aws:apigatewayv2/stage:Stage": {"name": r"\$default|[\w-]{1,128}"},
    "aws:budgets/budget:Budget": {"name": r"[^:\\]{1,100}"},
    "aws:cloudfront/originAccessControl:OriginAccessControl": {"name": r".{1,64}"},
    "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy": {"name": r"[\w-]{1,128}"},
    "aws:cloudwatch/dashboard:Dashboard": {"dashboardName": r"[\w-]{1,255}"},
    "aws:cloudwatch/eventApiDestination:EventApiDestination": {"name": r"[.\w-]{1,64}"},
    "aws:cloudwatch/eventBus:EventBus": {"name": r"(?!aws\.|default$)[/.\w-]{1,256}"},
    "aws:cloudwatch/eventConnection:EventConnection": {"name": r"[.\w-]{1,64}"},
    "aws:cloudwatch/eventRule:EventRule": {"name": r"[.\w-]{1,64}"},
    "aws:cloudwatch/logGroup:LogGroup": {"name": r"[.\w/#-]{1,512}"},
    "aws:cloudwatch/metricAlarm:MetricAlarm": {"name": r".{1,255}"},
    "aws:cloudwatch/queryDefinition:QueryDefinition": {"name": r".{1,255}"},
    "aws:cognito/resourceServer:ResourceServer": {"identifier": r"[!#-\[\]-~]{1,256}", "name": _TITLE + "{1,256}"},
    "aws:cognito/userPool:UserPool": {"name": _TITLE + "{1,128}"},
    "aws:cognito/userPoolClient:UserPoolClient": {"name": _TITLE + "{1,128}"},
    "aws:cognito/userPoolDomain:UserPoolDomain": {"domain": r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"},
    "aws:dynamodb/table:Table": {"name": r"[.\w-]{3,255}"},
    "aws:elasticache/serverlessCache:ServerlessCache": {"name": r"(?=.{1,40}$)[a-z](?:-?[a-z0-9])*"},
    "aws:elasticache/user:User": {
        "userId": r"(?=.{1,40}$)[a-z](?:-?[a-z0-9])*",
        "userName": r"(?=.{1,40}$)[a-z](?:-?[a-z0-9])*",  # with IAM the same as the id
    },
    "aws:elasticache/userGroup:UserGroup": {"userGroupId": r"(?=.{1,40}$)[a-z](?:-?[a-z0-9])*"},
    "aws:iam/role:Role": {"name": _WORD + "{1,64}"},
    "aws:iam/rolePolicy:RolePolicy": {"name": _WORD + "{1,128}"},
    "aws:lambda/alias:Alias": {"name": r"(?!\d+$)[\w-]{1,128}"},
    "aws:lambda/function:Function": {"name": r"[\w-]{1,64}"},
    "aws:s3/bucket:Bucket": {"bucketPrefix": r"(?!xn--|sthree-|amzn-s3-demo-)[a-z0-9][a-z0-9.-]{0,36}"},
    "aws:scheduler/schedule:Schedule": {"name": r"[.\w-]{1,64}"},
    "aws:secretsmanager/secret:Secret": {"name": r"(?!.*-[\w+=.@]{6}$)[\w/+=.@-]{1,512}"},
    "aws:sns/topic:Topic": {"name": r"[\w-]{1,256}"},
    "aws:sqs/queue:Queue": {"name": r"[\w-]{1,80}"},
    "aws:wafv2/webAcl:WebAcl": {"name": r"[\w-]{1,128}"},
}
_NETWORK = r"[A-Za-z0-9](?:[\w.-]{0,78}\w)?"
_HYPHENS = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_SINGLE = r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*"
_CONTAINER = r"(?=.{3,63}$)[a-z0-9](?:-?[a-z0-9])*"
AZURE = {
    "azure-native:apimanagement:Api": {"apiId": r"(?=.{1,80}$)[A-Za-z](?:[A-Za-z0-9-]*[A-Za-z0-9])?"},
    "azure-native:apimanagement:ApiManagementService": {
        "serviceName": r"(?=.{1,50}$)[A-Za-z](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
    },
    "azure-native:app:ContainerApp": {"containerAppName": r"(?=[a-z].{1,31}$)[a-z0-9]+(?:-[a-z0-9]+)*"},
    "azure-native:app:ManagedEnvironment": {"environmentName": r"(?=.{1,60}$)[A-Za-z](?:[A-Za-z0-9-]*[A-Za-z0-9])?"},
    "azure-native:applicationinsights:Component": {"resourceName": r"(?!.*\.$)[\w.()-]{1,255}"},
    "azure-native:cdn:AFDCustomDomain": {"customDomainName": rf"(?=.{{2,260}}$){_HYPHENS}"},
    "azure-native:cdn:AFDEndpoint": {"endpointName": rf"(?=.{{2,46}}$){_HYPHENS}"},
    "azure-native:cdn:Profile": {"profileName": rf"(?=.{{1,260}}$){_HYPHENS}"},
    "azure-native:consumption:Budget": {"budgetName": r"[\w-]{1,63}"},
    "azure-native:cosmosdb:DatabaseAccount": {"accountName": r"[a-z0-9][a-z0-9-]{1,42}[a-z0-9]"},
    "azure-native:cosmosdb:SqlResourceSqlContainer": {"containerName": r"[^/\\#?]{1,255}"},
    "azure-native:cosmosdb:SqlResourceSqlDatabase": {"databaseName": r"[^/\\#?]{1,255}"},
    "azure-native:eventgrid:Topic": {"topicName": r"[A-Za-z0-9-]{3,50}"},
    "azure-native:frontdoor:Policy": {"policyName": r"[A-Za-z][A-Za-z0-9]{0,127}"},
    "azure-native:keyvault:Vault": {"vaultName": rf"(?=[A-Za-z].{{2,23}}$){_SINGLE}"},
    "azure-native:managedidentity:UserAssignedIdentity": {"resourceName": r"[A-Za-z0-9][\w-]{2,127}"},
    "azure-native:monitor:ActionGroup": {"actionGroupName": r"[^/&%?\\]{1,260}", "groupShortName": r".{1,12}"},
    "azure-native:monitor:ScheduledQueryRule": {"ruleName": r"[^*#&+:<>?@%{}\\/|]{1,260}(?<![ .])"},
    "azure-native:network:NatGateway": {"natGatewayName": _NETWORK},
    "azure-native:network:PrivateEndpoint": {"privateEndpointName": rf"(?=.{{2,64}}$){_NETWORK}"},
    "azure-native:network:PublicIPAddress": {"publicIpAddressName": _NETWORK},
    "azure-native:network:VirtualNetwork": {"virtualNetworkName": rf"(?=.{{2,64}}$){_NETWORK}"},
    "azure-native:operationalinsights:SavedSearch": {"savedSearchId": r".{1,260}"},
    "azure-native:operationalinsights:Workspace": {"workspaceName": rf"(?=.{{4,63}}$){_HYPHENS}"},
    "azure-native:privatedns:VirtualNetworkLink": {"virtualNetworkLinkName": _NETWORK},
    "azure-native:redisenterprise:AccessPolicyAssignment": {"accessPolicyAssignmentName": r"[A-Za-z0-9]{1,60}"},
    "azure-native:redisenterprise:RedisEnterprise": {"clusterName": r"(?=.{1,60}$)[A-Za-z0-9](?:-?[A-Za-z0-9])*"},
    "azure-native:resources:ResourceGroup": {"resourceGroupName": r"(?!.*\.$)[\w.()-]{1,90}"},
    "azure-native:storage:BlobContainer": {"containerName": _CONTAINER},
    "azure-native:storage:Queue": {"queueName": _CONTAINER},
    "azure-native:storage:StorageAccount": {"accountName": r"[a-z0-9]{3,24}"},
    "azure-native:web:AppServicePlan": {"name": r"[A-Za-z0-9-]{1,60}"},
    "azure-native:web:WebApp": {"name": rf"(?=.{{2,60}}$){_HYPHENS}"},
}
NAMELESS = {
    "aws:acm/certificate:Certificate", "aws:acm/certificateValidation:CertificateValidation",
    "aws:apigatewayv2/apiMapping:ApiMapping", "aws:apigatewayv2/domainName:DomainName",
    "aws:apigatewayv2/integration:Integration", "aws:apigatewayv2/route:Route", "aws:cloudfront/distribution:Distribution",
    "aws:cloudwatch/eventTarget:EventTarget",
    "aws:lambda/eventSourceMapping:EventSourceMapping", "aws:lambda/functionUrl:FunctionUrl",
    "aws:lambda/permission:Permission", "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig",
    "aws:route53/record:Record", "aws:s3/bucketObjectv2:BucketObjectv2", "aws:s3/bucketPolicy:BucketPolicy",
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "aws:sns/topicSubscription:TopicSubscription",
    "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration",
    "azure-native:apimanagement:ApiPolicy", "azure-native:app:ContainerAppsAuthConfig",
    "azure-native:applicationinsights:Workbook", "azure-native:authorization:RoleAssignment", "azure-native:cdn:AFDOrigin",
    "azure-native:cdn:AFDOriginGroup", "azure-native:cdn:Route", "azure-native:cdn:Rule", "azure-native:cdn:RuleSet",
    "azure-native:cdn:SecurityPolicy", "azure-native:cosmosdb:SqlResourceSqlRoleAssignment", "azure-native:dns:RecordSet",
    "azure-native:monitor:DiagnosticSetting", "azure-native:network:PrivateDnsZoneGroup",
    "azure-native:privatedns:PrivateZone", "azure-native:redisenterprise:Database",
    "azure-native:web:WebAppAuthSettingsV2", "azure-native:web:WebAppFtpAllowed", "azure-native:web:WebAppScmAllowed",
}  # fmt: skip
"""They are ids, fixed words, or another resource's name; `aws:ec2` has ids alone."""


def wrong(token, inputs, table) -> str | None:
    """What the cloud has against a resource's name."""
    for key, pattern in table.get(token, {}).items():
        if isinstance(inputs.get(key), str) and not re.fullmatch(pattern, inputs[key]):  # a preview knows not all
            return f"{token}: {key} {inputs[key]!r} has {len(inputs[key])} characters and must match {pattern}"
    return None
