"""What a later setting changes of what there is, and what becomes of it: every property that config reaches, on both clouds.

A property that is not here is not reached by any key (`test_config_changes.py` compares), but for tags, which every type changes
in place. What a cloud can't change has to stand as REPLACED, or not at all: what is chosen when a resource is made and ignored
from then on (Key Vault's days, the cache's replica). The rules in `tests/engine/` refuse the rest.
"""

IN_PLACE, REPLACED = "in place", "replaced"
CHANGES = {
    "azure": {
        "azure-native:apimanagement:Api": {"serviceName": REPLACED},
        "azure-native:apimanagement:ApiManagementService": {
            # No tier becomes every other: the name goes with it (twofold/deploy/azure/gateway.py). What else changes came along.
            "publisherEmail": REPLACED, "serviceName": REPLACED, "sku.capacity": REPLACED, "sku.name": REPLACED,
        },
        "azure-native:apimanagement:ApiPolicy": {"serviceName": REPLACED, "value": REPLACED},
        # terraform-provider-azurerm#20124: Azure changes it.
        "azure-native:applicationinsights:Component": {"workspaceResourceId": IN_PLACE},
        # Terraform's azurerm_application_insights_workbook changes it.
        "azure-native:applicationinsights:Workbook": {"sourceId": IN_PLACE},
        "azure-native:cdn:AFDCustomDomain": {"customDomainName": REPLACED, "hostName": REPLACED},
        "azure-native:cosmosdb:DatabaseAccount": {"publicNetworkAccess": IN_PLACE},
        "azure-native:dns:RecordSet": {"relativeRecordSetName": REPLACED},
        "azure-native:eventgrid:Topic": {"publicNetworkAccess": IN_PLACE},
        "azure-native:keyvault:Vault": {
            # One way: what takes it away says nothing, and it stays (azure-rest-api-specs#18106).
            "properties.enablePurgeProtection": IN_PLACE,
            "properties.networkAcls.defaultAction": IN_PLACE, "properties.publicNetworkAccess": IN_PLACE,
        },
        "azure-native:monitor:DiagnosticSetting": {"workspaceId": IN_PLACE},
        "azure-native:monitor:ScheduledQueryRule": {"actions.actionGroups": IN_PLACE, "scopes": REPLACED},
        "azure-native:operationalinsights:SavedSearch": {"resourceGroupName": REPLACED, "workspaceName": REPLACED},
        "azure-native:redisenterprise:RedisEnterprise": {"publicNetworkAccess": IN_PLACE},
        "azure-native:storage:StorageAccount": {"networkRuleSet.defaultAction": IN_PLACE, "publicNetworkAccess": IN_PLACE},
        "azure-native:web:WebApp": {
            "functionAppConfig.scaleAndConcurrency.alwaysReady": IN_PLACE,
            "functionAppConfig.scaleAndConcurrency.maximumInstanceCount": IN_PLACE,
            "functionAppConfig.siteUpdateStrategy.type": IN_PLACE, "siteConfig.appSettings": IN_PLACE,
            # Whether leaving it out takes the app out of the network, only a real account shows.
            "virtualNetworkSubnetId": IN_PLACE,
        },
        "azure-native:web:WebAppAuthSettingsV2": {
            "identityProviders.azureActiveDirectory.validation.allowedAudiences": IN_PLACE
        },
        "pulumi-python:dynamic:Resource": {
            "count": IN_PLACE, "edge.id": IN_PLACE, "edge.url": IN_PLACE, "release": IN_PLACE, "url": IN_PLACE,
        },
    },
    "aws": {
        "aws:acm/certificate:Certificate": {"domainName": REPLACED},
        "aws:acm/certificateValidation:CertificateValidation": {"validationRecordFqdns": REPLACED},
        "aws:apigatewayv2/authorizer:Authorizer": {
            "jwtConfiguration.audiences": IN_PLACE, "jwtConfiguration.issuer": IN_PLACE
        },
        "aws:apigatewayv2/stage:Stage": {
            "defaultRouteSettings.throttlingBurstLimit": IN_PLACE, "defaultRouteSettings.throttlingRateLimit": IN_PLACE,
            "routeSettings": IN_PLACE,
        },
        "aws:cloudfront/distribution:Distribution": {"aliases": IN_PLACE},
        "aws:cloudwatch/eventBus:EventBus": {"kmsKeyIdentifier": IN_PLACE},
        "aws:cloudwatch/logGroup:LogGroup": {"kmsKeyId": IN_PLACE},
        "aws:cloudwatch/metricAlarm:MetricAlarm": {"alarmActions": IN_PLACE, "okActions": IN_PLACE},
        "aws:dynamodb/table:Table": {
            "deletionProtectionEnabled": IN_PLACE, "serverSideEncryption.enabled": IN_PLACE,
            "serverSideEncryption.kmsKeyArn": IN_PLACE,
        },
        "aws:ec2/securityGroup:SecurityGroup": {"vpcId": REPLACED},
        # Terraform's aws_elasticache_serverless_cache; it holds nothing that could not be loaded again.
        "aws:elasticache/serverlessCache:ServerlessCache": {"kmsKeyId": REPLACED, "subnetIds": REPLACED},
        "aws:iam/role:Role": {"permissionsBoundary": IN_PLACE},
        "aws:iam/rolePolicy:RolePolicy": {"policy": IN_PLACE},
        "aws:lambda/alias:Alias": {"functionVersion": IN_PLACE},
        "aws:lambda/eventSourceMapping:EventSourceMapping": {"scalingConfig.maximumConcurrency": IN_PLACE},
        "aws:lambda/function:Function": {
            "environment.variables": IN_PLACE, "memorySize": IN_PLACE, "reservedConcurrentExecutions": IN_PLACE,
            # A zip becomes no image, nor an image a zip.
            "code": REPLACED, "handler": REPLACED, "imageUri": REPLACED, "packageType": REPLACED, "runtime": REPLACED,
            "sourceCodeHash": REPLACED, "snapStart.applyOn": IN_PLACE, "vpcConfig.securityGroupIds": IN_PLACE,
            "vpcConfig.subnetIds": IN_PLACE,
        },
        "aws:route53/record:Record": {"name": REPLACED},
        "aws:secretsmanager/secret:Secret": {"kmsKeyId": IN_PLACE, "recoveryWindowInDays": IN_PLACE},
        "aws:sqs/queue:Queue": {"kmsMasterKeyId": IN_PLACE, "sqsManagedSseEnabled": IN_PLACE},
        "pulumi-python:dynamic:Resource": {"keep": IN_PLACE, "version": IN_PLACE},
    },
}  # fmt: skip
