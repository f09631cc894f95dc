"""A resource provider served by the test process, standing in for aws, azure-native and dynamic resources.

The engine is real; this knows no cloud's rules. It returns inputs as outputs, with ids and the computed outputs of a small
table; a change of a property that `IMMUTABLE` lists for a type replaces the resource, as in the cloud.
"""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import grpc
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

ACCOUNT = "123456789012"
SUBSCRIPTION = "00000000-0000-0000-0000-00000000abcd"
TENANT = "00000000-0000-0000-0000-00000000ef01"

IMMUTABLE = {
    "aws:dynamodb/table:Table": {"name", "hashKey", "rangeKey"},
    "aws:secretsmanager/secret:Secret": {"name"},
    "aws:lambda/function:Function": {"name", "packageType"},
    "aws:lambda/alias:Alias": {"name", "functionName"},
    "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig": {"functionName", "qualifier"},
    "aws:lambda/permission:Permission": {
        "action",
        "function",
        "functionUrlAuthType",
        "invokedViaFunctionUrl",
        "principal",
        "qualifier",
        "sourceArn",
    },
    "aws:lambda/eventSourceMapping:EventSourceMapping": {"eventSourceArn", "startingPosition"},
    "aws:iam/role:Role": {"name"},
    "aws:scheduler/schedule:Schedule": {"name", "groupName"},
    "azure-native:cosmosdb:DatabaseAccount": {"accountName", "location", "resourceGroupName"},
    "azure-native:cosmosdb:SqlResourceSqlDatabase": {"accountName", "databaseName"},
    "azure-native:cosmosdb:SqlResourceSqlContainer": {"accountName", "databaseName", "containerName"},
    "azure-native:keyvault:Vault": {"vaultName", "location"},
    "azure-native:storage:StorageAccount": {"accountName", "location"},
    "azure-native:web:WebApp": {"name", "location"},
    "azure-native:app:ManagedEnvironment": {"environmentName", "resourceGroupName", "location"},
    "azure-native:app:ContainerApp": {"containerAppName", "resourceGroupName", "location", "environmentId"},
    "azure-native:app:ContainerAppsAuthConfig": {"authConfigName", "containerAppName", "resourceGroupName"},
    "azure-native:storage:Queue": {"accountName", "queueName"},
    "azure-native:storage:BlobContainer": {"accountName", "containerName", "resourceGroupName"},
    "azure-native:authorization:RoleAssignment": {"principalId", "scope", "roleDefinitionId"},
    "azure-native:operationalinsights:Workspace": {"workspaceName", "resourceGroupName", "location"},
    "azure-native:monitor:DiagnosticSetting": {"name", "resourceUri"},
    "aws:sqs/queue:Queue": {"name"},
    "aws:apigatewayv2/api:Api": {"protocolType"},
    "aws:apigatewayv2/route:Route": {"apiId"},
    "aws:apigatewayv2/stage:Stage": {"apiId", "name"},
    "aws:apigatewayv2/authorizer:Authorizer": {"apiId"},
    "aws:lambda/functionUrl:FunctionUrl": {"functionName", "qualifier"},
    "aws:wafv2/webAcl:WebAcl": {"name", "region", "scope"},
    "aws:cloudwatch/logGroup:LogGroup": {"name", "region"},
    "azure-native:apimanagement:ApiManagementService": {"serviceName", "resourceGroupName", "location"},
    "azure-native:apimanagement:Api": {"apiId", "serviceName", "resourceGroupName"},
    "azure-native:apimanagement:ApiPolicy": {"apiId", "policyId", "serviceName", "resourceGroupName"},
    "azure-native:managedidentity:UserAssignedIdentity": {"resourceName", "resourceGroupName", "location"},
    "azure-native:web:WebAppAuthSettingsV2": {"name", "resourceGroupName"},
    "azure-native:cdn:Profile": {"profileName", "resourceGroupName", "location", "sku"},
    "azure-native:cdn:AFDEndpoint": {"endpointName", "profileName", "resourceGroupName", "location"},
    "azure-native:cdn:AFDOriginGroup": {"originGroupName", "profileName", "resourceGroupName"},
    "azure-native:cdn:AFDOrigin": {"originName", "originGroupName", "profileName", "resourceGroupName"},
    "azure-native:cdn:Route": {"routeName", "endpointName", "profileName", "resourceGroupName"},
    "azure-native:cdn:SecurityPolicy": {"securityPolicyName", "profileName", "resourceGroupName"},
    "azure-native:cdn:AFDCustomDomain": {"customDomainName", "hostName", "profileName", "resourceGroupName"},
    "azure-native:cdn:RuleSet": {"ruleSetName", "profileName", "resourceGroupName"},
    "azure-native:cdn:Rule": {"ruleName", "ruleSetName", "profileName", "resourceGroupName"},
    "azure-native:dns:RecordSet": {"relativeRecordSetName", "recordType", "zoneName", "resourceGroupName"},
    "azure-native:consumption:Budget": {"budgetName", "scope", "category", "timeGrain"},
    "aws:s3/bucket:Bucket": {"bucketPrefix"},
    "aws:s3/bucketObjectv2:BucketObjectv2": {"bucket", "key"},
    "aws:acm/certificate:Certificate": {"domainName", "validationMethod", "region"},
    "aws:acm/certificateValidation:CertificateValidation": {"certificateArn", "region"},
    "aws:route53/record:Record": {"name", "type", "zoneId"},
    "aws:apigatewayv2/domainName:DomainName": {"domainName"},
    "aws:apigatewayv2/apiMapping:ApiMapping": {"domainName"},
    "aws:cloudfront/originAccessControl:OriginAccessControl": {"originAccessControlOriginType"},
    "aws:budgets/budget:Budget": {"name"},
    "azure-native:frontdoor:Policy": {"policyName", "resourceGroupName", "sku"},
    "aws:ec2/vpc:Vpc": {"cidrBlock"},
    "aws:ec2/subnet:Subnet": {"vpcId", "cidrBlock", "availabilityZone"},
    "aws:ec2/securityGroup:SecurityGroup": {"vpcId", "name", "description"},
    "aws:ec2/securityGroupRule:SecurityGroupRule": {
        "securityGroupId",
        "sourceSecurityGroupId",
        "cidrBlocks",
        "type",
        "protocol",
        "fromPort",
        "toPort",
    },
    "aws:ec2/vpcEndpoint:VpcEndpoint": {"vpcId", "serviceName", "vpcEndpointType"},
    "aws:elasticache/serverlessCache:ServerlessCache": {"name", "subnetIds", "kmsKeyId", "engine"},
    "azure-native:network:VirtualNetwork": {"virtualNetworkName", "resourceGroupName"},
    "azure-native:network:NatGateway": {"natGatewayName", "resourceGroupName"},
    "azure-native:network:PublicIPAddress": {"publicIpAddressName", "resourceGroupName"},
    "azure-native:network:PrivateEndpoint": {"privateEndpointName", "resourceGroupName"},
    "azure-native:network:PrivateDnsZoneGroup": {"privateDnsZoneGroupName", "privateEndpointName", "resourceGroupName"},
    "azure-native:privatedns:PrivateZone": {"privateZoneName", "resourceGroupName"},
    "azure-native:privatedns:VirtualNetworkLink": {"virtualNetworkLinkName", "privateZoneName", "resourceGroupName"},
    "azure-native:applicationinsights:Workbook": {"resourceName", "resourceGroupName"},
    "azure-native:operationalinsights:SavedSearch": {"savedSearchId", "workspaceName", "resourceGroupName"},
    "azure-native:monitor:ScheduledQueryRule": {"ruleName", "resourceGroupName", "location"},
    "azure-native:monitor:ActionGroup": {"actionGroupName", "resourceGroupName"},
    "aws:cloudwatch/metricAlarm:MetricAlarm": {"name"},
    "aws:cloudwatch/dashboard:Dashboard": {"dashboardName"},
    "aws:sns/topic:Topic": {"name"},
    "azure-native:applicationinsights:Component": {"resourceName", "resourceGroupName", "location"},
    "random:index/randomPassword:RandomPassword": {"length", "special"},
}
EDGE_VALUE = "planted-edge-value-0123456789abcdefghijklmnopqrst"
FRONT_DOOR_ID = "11111111-2222-3333-4444-555555555555"


def computed(token, name, inputs):
    """The outputs that a cloud adds."""
    arn = f"arn:aws:{token.split(':')[1].split('/')[0]}:eu-central-1:{ACCOUNT}:{name}"
    own = {"arn": arn, "name": inputs.get("name", name)} if token.startswith("aws:") else {}
    match token:
        case "aws:dynamodb/table:Table" if inputs.get("streamEnabled"):
            own["streamArn"] = f"{arn}/stream/1"
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
            made = f"{inputs['bucketPrefix']}2611251935"
            own |= {"bucket": made, "arn": f"arn:aws:s3:::{made}"}
            own["bucketRegionalDomainName"] = f"{made}.s3.eu-central-1.amazonaws.com"
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
        case "random:index/randomPassword:RandomPassword":
            own["result"] = EDGE_VALUE
        case "azure-native:cdn:Profile":
            own |= {"name": inputs["profileName"], "frontDoorId": FRONT_DOOR_ID, "identity": answered(inputs)}
        case "azure-native:cdn:AFDCustomDomain":
            proof = {"validationToken": "the-proof", "expirationDate": "2026-12-02T00:00:00Z"}
            own |= {"name": inputs["customDomainName"], "validationProperties": proof}
        case "azure-native:cdn:AFDEndpoint":
            own |= {"name": inputs["endpointName"], "hostName": f"{inputs['endpointName']}-abc.z01.azurefd.net"}
        case "azure-native:cosmosdb:DatabaseAccount":
            own |= {
                "name": inputs["accountName"],
                "documentEndpoint": f"https://{inputs['accountName']}.documents.azure.com:443/",
            }
            if "identity" in inputs:
                own["identity"] = answered(inputs)
        case "aws:elasticache/serverlessCache:ServerlessCache":
            host = f"{inputs['name']}-abc123.serverless.euc1.cache.amazonaws.com"
            own["endpoints"] = [{"address": host, "port": 6379}]
        case "azure-native:redisenterprise:RedisEnterprise":
            host = f"{inputs['clusterName']}.westeurope.redis.azure.net"
            own |= {"name": inputs["clusterName"], "hostName": host}
        case "azure-native:redisenterprise:Database":
            own |= {"name": inputs["databaseName"]}
        case "azure-native:applicationinsights:Component":
            own |= {"connectionString": f"InstrumentationKey={SUBSCRIPTION};IngestionEndpoint=https://{name}.example/"}
        case "azure-native:eventgrid:Topic":
            own |= {"endpoint": f"https://{inputs['topicName']}.westeurope-1.eventgrid.azure.net/api/events"}
        case "azure-native:managedidentity:UserAssignedIdentity":
            own |= {"clientId": f"client-{name}", "principalId": f"principal-{name}"}
        case "azure-native:apimanagement:ApiManagementService":
            own |= {"name": inputs["serviceName"], "gatewayUrl": f"https://{inputs['serviceName']}.azure-api.net"}
        case "azure-native:app:ContainerApp":
            ingress = inputs["configuration"].get("ingress")
            fqdn = {"fqdn": f"{inputs['containerAppName']}.happy-1.westeurope.azurecontainerapps.io"}
            own["name"] = inputs["containerAppName"]
            given = inputs["identity"]["userAssignedIdentities"]
            own["identity"] = inputs["identity"] | {"userAssignedIdentities": {key: {} for key in given}}
            own["configuration"] = inputs["configuration"] | ({"ingress": ingress | fqdn} if ingress else {})
        case "azure-native:web:WebApp":
            own |= {"name": inputs["name"], "defaultHostName": f"{inputs['name']}.azurewebsites.net"}
            own["identity"] = answered(inputs)
        case _ if token.startswith("azure-native:"):
            names = ("accountName", "databaseName", "containerName", "vaultName", "apiId", "resourceGroupName", "name")
            last = {
                "azure-native:resources:ResourceGroup": "resourceGroupName",
                "azure-native:storage:BlobContainer": "containerName",
                "azure-native:operationalinsights:Workspace": "workspaceName",
                "azure-native:storage:Queue": "queueName",
                "azure-native:network:PrivateEndpoint": "privateEndpointName",
                "azure-native:privatedns:PrivateZone": "privateZoneName",
                "azure-native:cdn:AFDOriginGroup": "originGroupName",
                "azure-native:cdn:RuleSet": "ruleSetName",
                "azure-native:cosmosdb:SqlResourceSqlDatabase": "databaseName",
                "azure-native:cosmosdb:SqlResourceSqlContainer": "containerName",
            }.get(token)
            if token == "azure-native:storage:StorageAccount" and "identity" in inputs:
                own["identity"] = answered(inputs)
            own["name"] = inputs.get(last) or next((inputs[key] for key in names if key in inputs), name)
    return own


def answered(inputs):
    """A resource's identities: a list of ids going in, a map by id coming out."""
    identity = inputs.get("identity", {})
    return identity | {"userAssignedIdentities": {key: {} for key in identity.get("userAssignedIdentities", [])}}


class StandIn(provider_pb2_grpc.ResourceProviderServicer):
    """Keeps what was created: `resources` by URN, as (type, inputs). `drifted` is what somebody changed by hand, by URN:
    properties, or None for what is gone. `configured` and `asked` are what providers were started with, and their functions."""

    def __init__(self):
        self.resources, self.deleted, self.drifted, self._made = {}, set(), {}, Counter()
        self.configured, self.asked = [], []
        self._server = grpc.server(ThreadPoolExecutor(16))
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(self, self._server)
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    def adopt(self, state):
        """Knows the resources of a state as existing."""
        for one in state:
            if one["custom"] and not one["type"].startswith("pulumi:"):
                self.resources[one["urn"]] = (one["type"], one["inputs"])

    def debug_providers(self):
        return ",".join(f"{name}:{self.port}" for name in ("aws", "azure-native", "pulumi-python", "random"))

    def close(self):
        self._server.stop(0)

    def Attach(self, request, context):
        return empty_pb2.Empty()

    def Handshake(self, request, context):
        return provider_pb2.ProviderHandshakeResponse(
            accept_secrets=False, accept_resources=False, accept_outputs=False
        )

    def GetPluginInfo(self, request, context):
        return plugin_pb2.PluginInfo(version="9.9.9")

    def CheckConfig(self, request, context):
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request, context):
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(self, request, context):
        self.configured.append(given := plain(request.args))
        if ACCOUNT not in given.get("allowedAccountIds", ACCOUNT):  # in Terraform's own words
            context.abort(grpc.StatusCode.UNKNOWN, f"AWS account ID not allowed: {ACCOUNT}")
        return provider_pb2.ConfigureResponse(
            acceptSecrets=False, supportsPreview=True, acceptResources=False, acceptOutputs=False
        )

    def Check(self, request, context):
        return provider_pb2.CheckResponse(inputs=request.news)

    def Diff(self, request, context):
        token = request.urn.split("::")[2].split("$")[-1]
        old, new = plain(request.old_inputs), plain(request.news)
        ignored = set(request.ignoreChanges)
        changed = {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)} - ignored - {"__provider"}
        if token == "pulumi-python:dynamic:Resource":
            changed -= {"path"}
        kind = provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE
        return provider_pb2.DiffResponse(
            changes=kind, diffs=sorted(changed), replaces=sorted(changed & IMMUTABLE.get(token, set()))
        )

    def Create(self, request, context):
        token, name = request.urn.split("::")[2].split("$")[-1], request.urn.split("::")[-1]
        inputs = plain(request.properties)
        outputs = inputs | computed(token, name, inputs)
        if request.preview:  # what the cloud adds is not known yet
            outputs = {key: value for key, value in outputs.items() if inputs.get(key) == value}
        if not request.preview:
            self.resources[request.urn] = (token, inputs)
            self._made[request.urn] += 1
        id = "" if request.preview else f"/{token}/{name}".replace(" ", "-")
        return provider_pb2.CreateResponse(id=id, properties=struct(outputs))

    def Update(self, request, context):
        token, name = request.urn.split("::")[2].split("$")[-1], request.urn.split("::")[-1]
        inputs = plain(request.news)
        outputs = inputs | computed(token, name, inputs)
        if "version" in outputs and token == "aws:lambda/function:Function":
            del outputs["version"]
            if not request.preview:  # each update publishes
                outputs["version"] = str(int(plain(request.olds).get("version", "0")) + 1)
        if not request.preview:
            self.resources[request.urn] = (token, inputs)
        return provider_pb2.UpdateResponse(properties=struct(outputs))

    def Delete(self, request, context):
        self._made[request.urn] -= 1
        if self._made[request.urn] <= 0:  # else another one of this name came before the old one went
            self.resources.pop(request.urn, None)
        self.deleted.add(request.urn)
        return empty_pb2.Empty()

    def Read(self, request, context):
        changed = self.drifted.get(request.urn, {})
        if changed is None:
            return provider_pb2.ReadResponse()
        properties, inputs = plain(request.properties) | changed, plain(request.inputs) | changed
        return provider_pb2.ReadResponse(id=request.id, properties=struct(properties), inputs=struct(inputs))

    def Invoke(self, request, context):
        self.asked.append((request.tok, plain(request.args)))
        if request.tok == "aws:index/getCallerIdentity:getCallerIdentity":
            answer = {
                "accountId": ACCOUNT,
                "arn": f"arn:aws:iam::{ACCOUNT}:user/deployer",
                "id": ACCOUNT,
                "userId": "u",
            }
            return provider_pb2.InvokeResponse(**{"return": struct(answer)})
        if request.tok == "azure-native:authorization:getClientConfig":
            answer = {"clientId": "c", "objectId": "o", "subscriptionId": SUBSCRIPTION, "tenantId": TENANT}
            return provider_pb2.InvokeResponse(**{"return": struct(answer)})
        if request.tok == "aws:index/getAvailabilityZones:getAvailabilityZones":
            names = [f"eu-central-1{zone}" for zone in "abc"]
            return provider_pb2.InvokeResponse(**{"return": struct({"id": "zones", "names": names})})
        if request.tok == "aws:ec2/getSubnet:getSubnet":
            id = plain(request.args)["id"]  # the first digit after "subnet-" is its VPC, the last its zone
            answer = {
                "id": id,
                "vpcId": f"vpc-{id[7]}",
                "availabilityZone": f"eu-central-1{'abc'[int(id[-1], 16) % 3]}",
            }
            return provider_pb2.InvokeResponse(**{"return": struct(answer)})
        if request.tok == "azure-native:apimanagement:getApiManagementService":
            name = plain(request.args)["serviceName"]
            identity = {"type": "SystemAssigned", "principalId": f"principal-{name}", "tenantId": TENANT}
            answer = {"name": name, "gatewayUrl": f"https://{name}.azure-api.net", "identity": identity}
            return provider_pb2.InvokeResponse(**{"return": struct(answer)})
        context.abort(grpc.StatusCode.UNIMPLEMENTED, f"{request.tok} is not stood in for")

    def Cancel(self, request, context):
        return empty_pb2.Empty()


def plain(properties):
    return json_format.MessageToDict(properties)


def struct(properties):
    return json_format.ParseDict(properties, struct_pb2.Struct())
