"""What only a cloud knows of a resource, as placeholders: `${dynamodb.Table.orders-dev-events.arn}` is module, type, name, output.

`.host` behind a URL's is its host alone.
"""

from collections.abc import Mapping
from typing import Any

TEXTS: Mapping[str, tuple[str, ...]] = {
    "aws:cognito/userPool:UserPool": ("endpoint",),
    "aws:dynamodb/table:Table": ("streamArn",),
    "aws:lambda/function:Function": ("invokeArn", "version"),
    "aws:lambda/alias:Alias": ("invokeArn",),
    "aws:apigatewayv2/api:Api": ("executionArn",),
    "aws:cloudfront/distribution:Distribution": ("domainName", "hostedZoneId"),
    "aws:s3/bucket:Bucket": ("bucket", "bucketRegionalDomainName"),
    "aws:route53/record:Record": ("fqdn",),
    "azure-native:cdn:Profile": ("frontDoorId",),
    "azure-native:cdn:AFDEndpoint": ("hostName",),
    "azure-native:cosmosdb:DatabaseAccount": ("documentEndpoint",),
    "azure-native:redisenterprise:RedisEnterprise": ("hostName",),
    "azure-native:applicationinsights:Component": ("connectionString",),
    "azure-native:managedidentity:UserAssignedIdentity": ("clientId", "principalId"),
    "azure-native:web:WebApp": ("defaultHostName",),
}
"""Outputs that a stack's program reads, by type; one that is not here stays unknown. On AWS also `arn` and `name`."""
URLS: Mapping[str, str] = {
    "aws:apigatewayv2/api:Api": "apiEndpoint",
    "aws:lambda/functionUrl:FunctionUrl": "functionUrl",
    "azure-native:eventgrid:Topic": "endpoint",
    "azure-native:apimanagement:ApiManagementService": "gatewayUrl",
}
ACCOUNT = "${account}"
"""The AWS account's twelve digits."""
OWN_NAME: Mapping[str, str] = {
    "azure-native:apimanagement:Api": "apiId",
    "azure-native:apimanagement:ApiManagementService": "serviceName",
    "azure-native:app:ManagedEnvironment": "environmentName",
    "azure-native:app:ContainerApp": "containerAppName",
    "azure-native:cdn:AFDEndpoint": "endpointName",
    "azure-native:cdn:AFDOriginGroup": "originGroupName",
    "azure-native:cdn:AFDCustomDomain": "customDomainName",
    "azure-native:cdn:Profile": "profileName",
    "azure-native:cdn:RuleSet": "ruleSetName",
    "azure-native:cosmosdb:DatabaseAccount": "accountName",
    "azure-native:cosmosdb:SqlResourceSqlDatabase": "databaseName",
    "azure-native:cosmosdb:SqlResourceSqlContainer": "containerName",
    "azure-native:keyvault:Vault": "vaultName",
    "azure-native:network:PrivateEndpoint": "privateEndpointName",
    "azure-native:privatedns:PrivateZone": "privateZoneName",
    "azure-native:redisenterprise:Database": "databaseName",
    "azure-native:redisenterprise:RedisEnterprise": "clusterName",
    "azure-native:resources:ResourceGroup": "resourceGroupName",
    "azure-native:storage:BlobContainer": "containerName",
    "azure-native:storage:Queue": "queueName",
    "azure-native:storage:StorageAccount": "accountName",
}
"""The input that Azure gives back as `name`; `name` itself where a type has it."""


def placeholder(type: str, name: str, output: str) -> str:
    """`type` is a type token of Pulumi's."""
    return f"${{{type.split(':')[1].split('/')[0]}.{type.rpartition(':')[2]}.{name}.{output}}}"


def id_and_outputs(type: str, name: str, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """A resource's id and outputs, for `program.planned`."""

    def of(output: str) -> str:
        return placeholder(type, name, output)

    outputs: dict[str, Any] = dict(inputs)
    if type.startswith("aws:"):
        outputs |= {"arn": of("arn"), "name": inputs.get("name", of("name"))}
    elif "name" not in inputs and type in OWN_NAME:
        outputs["name"] = inputs[OWN_NAME[type]]
    outputs |= {output: of(output) for output in TEXTS.get(type, ())}
    if type in URLS:
        outputs[URLS[type]] = f"https://{of(f'{URLS[type]}.host')}"
    identity = inputs.get("identity")
    if isinstance(identity, Mapping) and isinstance(identity.get("userAssignedIdentities"), list):
        # A list of ids going in, a map by id coming out.
        outputs["identity"] = {
            **identity,
            "userAssignedIdentities": {identity_id: {} for identity_id in identity["userAssignedIdentities"]},
        }
    match type:
        case "aws:iam/role:Role":  # the program reads the account out of it
            outputs["arn"] = f"arn:aws:iam::{ACCOUNT}:role/{outputs['name']}"
        case "aws:elasticache/serverlessCache:ServerlessCache":
            outputs["endpoints"] = [{"address": of("endpoints.0.address"), "port": 6379}]
        case "aws:acm/certificate:Certificate":
            proof = {
                key: of(f"domainValidationOptions.0.{key}") for key in ("resourceRecordName", "resourceRecordValue")
            }
            outputs["domainValidationOptions"] = [{"resourceRecordType": "CNAME", **proof}]
        case "aws:apigatewayv2/domainName:DomainName":
            target = {key: of(f"domainNameConfiguration.{key}") for key in ("targetDomainName", "hostedZoneId")}
            outputs["domainNameConfiguration"] = inputs["domainNameConfiguration"] | target
        case "azure-native:cdn:AFDCustomDomain":
            outputs["validationProperties"] = {"validationToken": of("validationProperties.validationToken")}
        case "azure-native:app:ContainerApp" if "ingress" in inputs.get("configuration", {}):
            ingress = inputs["configuration"]["ingress"] | {"fqdn": of("configuration.ingress.fqdn")}
            outputs["configuration"] = inputs["configuration"] | {"ingress": ingress}
    return of("id"), outputs
