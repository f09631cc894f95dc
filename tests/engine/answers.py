"""What the clouds answer: the outputs that they add to a resource's inputs, and what their providers' functions say."""

from twofold.deploy.program import PIPELINE

ACCOUNT = "123456789012"
SUBSCRIPTION = "00000000-0000-0000-0000-00000000abcd"
TENANT = "00000000-0000-0000-0000-00000000ef01"
EDGE_VALUE = "planted-edge-value-0123456789abcdefghijklmnopqrst"
CLIENT_SECRET = "planted-client-secret-0123456789abcdefghijklmnopqrs"
FRONT_DOOR_ID = "11111111-2222-3333-4444-555555555555"
CALLED = {
    "app:ContainerApp": "containerAppName",
    "apimanagement:ApiManagementService": "serviceName",
    "applicationinsights:Component": "resourceName",
    "cdn:AFDCustomDomain": "customDomainName",
    "cdn:AFDEndpoint": "endpointName",
    "cdn:AFDOriginGroup": "originGroupName",
    "cdn:Profile": "profileName",
    "cdn:RuleSet": "ruleSetName",
    "cosmosdb:SqlResourceSqlContainer": "containerName",
    "cosmosdb:SqlResourceSqlDatabase": "databaseName",
    "eventgrid:Topic": "topicName",
    "managedidentity:UserAssignedIdentity": "resourceName",
    "network:PrivateEndpoint": "privateEndpointName",
    "operationalinsights:Workspace": "workspaceName",
    "privatedns:PrivateZone": "privateZoneName",
    "redisenterprise:RedisEnterprise": "clusterName",
    "resources:ResourceGroup": "resourceGroupName",
    "storage:BlobContainer": "containerName",
    "storage:Queue": "queueName",
    "web:WebApp": "name",
}
"""Of azure-native's kinds the input that is the resource's name; else it is the first of these that it has."""
NAMES = ("accountName", "databaseName", "containerName", "vaultName", "apiId", "resourceGroupName", "name")


def computed(token, name, inputs):
    """The outputs that a cloud adds."""
    if token.startswith("aws:"):
        return _aws(token, name, inputs)
    if token.startswith("azure-native:"):
        return _azure(token.removeprefix("azure-native:"), name, inputs)
    return {"result": EDGE_VALUE} if token == "random:index/randomPassword:RandomPassword" else {}


def _aws(token, name, inputs):
    arn = f"arn:aws:{token.split(':')[1].split('/')[0]}:eu-central-1:{ACCOUNT}:{name}"
    own = {"arn": arn, "name": inputs.get("name", name)}
    match token:
        case "aws:dynamodb/table:Table" if inputs.get("streamEnabled"):
            own["streamArn"] = f"{arn}/stream/1"
        case "aws:cognito/userPool:UserPool":
            own["endpoint"] = "cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Ab1Cd2Ef3"
        case "aws:cognito/userPoolClient:UserPoolClient" if inputs.get("generateSecret"):
            own["clientSecret"] = CLIENT_SECRET
        case "aws:lambda/function:Function":
            own["invokeArn"] = f"{arn}/invocations"
            if inputs.get("publish"):
                own["version"] = "1"
        case "aws:lambda/alias:Alias":
            own["arn"] = f"arn:aws:lambda:eu-central-1:{ACCOUNT}:function:{inputs['functionName']}:{inputs['name']}"
            own["invokeArn"] = f"{own['arn']}/invocations"
        case "aws:apigatewayv2/api:Api":
            own |= {"apiEndpoint": f"https://{name}.execute-api.eu-central-1.amazonaws.com", "executionArn": arn}
        case "aws:cloudwatch/dashboard:Dashboard":
            own["dashboardArn"] = arn
        case "aws:lambda/functionUrl:FunctionUrl":
            own["functionUrl"] = "https://abc.lambda-url.eu-central-1.on.aws/"
        case "aws:cloudfront/distribution:Distribution":
            own |= {"domainName": "d111111abcdef8.cloudfront.net", "hostedZoneId": "Z2FDTNDATAQYW2"}
        case "aws:s3/bucket:Bucket":
            bucket = f"{inputs['bucketPrefix']}2611251935"
            own |= {"bucket": bucket, "arn": f"arn:aws:s3:::{bucket}"}
            own["bucketRegionalDomainName"] = f"{bucket}.s3.eu-central-1.amazonaws.com"
        case "aws:acm/certificate:Certificate":
            kind = {"resourceRecordType": "CNAME", "domainName": inputs["domainName"]}
            name = {
                "resourceRecordName": f"_proof.{inputs['domainName']}.",
                "resourceRecordValue": "_x.acm-validations.aws.",
            }
            own["domainValidationOptions"] = [kind | name]
        case "aws:route53/record:Record":
            own["fqdn"] = inputs["name"].rstrip(".")
        case "aws:apigatewayv2/domainName:DomainName":
            target = {
                "targetDomainName": "d-abc123.execute-api.eu-central-1.amazonaws.com",
                "hostedZoneId": "Z1U9ULNL0V5AJ3",
            }
            own["domainNameConfiguration"] = inputs["domainNameConfiguration"] | target
        case "aws:elasticache/serverlessCache:ServerlessCache":
            host = f"{inputs['name']}-abc123.serverless.euc1.cache.amazonaws.com"
            own["endpoints"] = [{"address": host, "port": 6379}]
    return own


def _azure(kind, name, inputs):
    called = (CALLED[kind],) if kind in CALLED else NAMES
    own = {"name": next((inputs[key] for key in called if key in inputs), name)}
    if "identity" in inputs:  # a list of ids going in, a map by id coming out
        ids = inputs["identity"].get("userAssignedIdentities", ())
        own["identity"] = inputs["identity"] | {"userAssignedIdentities": {resource_id: {} for resource_id in ids}}
    match kind:
        case "cdn:Profile":
            own["frontDoorId"] = FRONT_DOOR_ID
        case "cdn:AFDCustomDomain":
            own["validationProperties"] = {"validationToken": "the-proof", "expirationDate": "2026-12-02T00:00:00Z"}
        case "cdn:AFDEndpoint":
            own["hostName"] = f"{own['name']}-abc.z01.azurefd.net"
        case "cosmosdb:DatabaseAccount":
            own["documentEndpoint"] = f"https://{own['name']}.documents.azure.com:443/"
        case "redisenterprise:RedisEnterprise":
            own["hostName"] = f"{own['name']}.westeurope.redis.azure.net"
        case "applicationinsights:Component":
            own["connectionString"] = f"InstrumentationKey={SUBSCRIPTION};IngestionEndpoint=https://{name}.example/"
        case "eventgrid:Topic":
            own["endpoint"] = f"https://{own['name']}.westeurope-1.eventgrid.azure.net/api/events"
        case "managedidentity:UserAssignedIdentity":
            own |= {"clientId": f"client-{name}", "principalId": f"principal-{name}"}
        case "apimanagement:ApiManagementService":
            own["gatewayUrl"] = f"https://{own['name']}.azure-api.net"
        case "app:ContainerApp" if "ingress" in inputs["configuration"]:
            fqdn = {"fqdn": f"{own['name']}.happy-1.westeurope.azurecontainerapps.io"}
            own["configuration"] = inputs["configuration"] | {"ingress": inputs["configuration"]["ingress"] | fqdn}
        case "web:WebApp":
            own["defaultHostName"] = f"{own['name']}.azurewebsites.net"
    return own


def asked(token, arguments):
    """What a provider's function says to these arguments; None of one that is not stood in for."""
    match token:
        case "aws:index/getCallerIdentity:getCallerIdentity":
            arn = f"arn:aws:iam::{ACCOUNT}:user/deployer"
            return {"accountId": ACCOUNT, "arn": arn, "id": ACCOUNT, "userId": "u"}
        case "aws:index/getAvailabilityZones:getAvailabilityZones":
            return {"id": "zones", "names": [f"eu-central-1{zone}" for zone in "abc"]}
        case "aws:ec2/getSubnet:getSubnet":
            resource_id = arguments["id"]  # the first digit after "subnet-" is its VPC, the last its zone
            zone = f"eu-central-1{'abc'[int(resource_id[-1], 16) % 3]}"
            return {"id": resource_id, "vpcId": f"vpc-{resource_id[7]}", "availabilityZone": zone}
        case "azure-native:authorization:getClientConfig":
            return {"clientId": "c", "objectId": "o", "subscriptionId": SUBSCRIPTION, "tenantId": TENANT}
        case "azure-native:authorization:getClientToken":
            return {"token": PIPELINE}
        case "azure-native:apimanagement:getApiManagementService":
            name = arguments["serviceName"]
            identity = {"type": "SystemAssigned", "principalId": f"principal-{name}", "tenantId": TENANT}
            return {"name": name, "gatewayUrl": f"https://{name}.azure-api.net", "identity": identity}
    return None
