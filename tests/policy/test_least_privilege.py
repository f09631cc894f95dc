"""Least privilege, encryption and TLS, read from both captured stacks with everything on that is optional."""

import json

import pytest

from api.manifest import SERVICE
from tests.stacks.captured import Captured
from tests.stacks.options import ON

INTERFACES = frozenset(f"ec2:{action}" for action in (
    "CreateNetworkInterface", "DeleteNetworkInterface", "DescribeNetworkInterfaces", "DescribeSubnets",
    "AssignPrivateIpAddresses", "UnassignPrivateIpAddresses",
))  # fmt: skip
"""What Lambda does with a function's role in a VPC; the function's own code is denied all of it."""
REVIEWED = {
    # No resource-level permission exists.
    ("dynamodb:ListStreams", "*"),
    *((action, "*") for action in INTERFACES),
    *((f"xray:{action}", "*") for action in ("PutSpans", "PutSpansForIndexing", "PutTraceSegments")),
}
EVERY = {unit.role for unit in SERVICE.units}
DEPLOYER = "o"
"""Who runs `pulumi up`: keeps the artifacts, a user or a service principal."""
ROLES = {
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": ("Storage Blob Data Owner", "storage:StorageAccount", EVERY),
    "4633458b-17de-408a-b874-0445c86b69e6": ("Key Vault Secrets User", "keyvault:Vault", EVERY),
    "d5a91429-5739-47e2-a06b-3470a27159e7": ("EventGrid Data Sender", "eventgrid:Topic", EVERY),
    "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a": ("Storage Queue Data Message Sender", "storage:Queue", EVERY),
    "974c5e8b-45b9-4653-ba55-5f855dd0fb88": ("Storage Queue Data Contributor", "storage:Queue", {"worker"}),
    "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": ("Storage Table Data Contributor", "storage:StorageAccount", EVERY),
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": ("Storage Blob Data Contributor", "storage:BlobContainer", EVERY | {DEPLOYER}),
    "3913510d-42f4-4e42-8a64-420c390055eb": ("Monitoring Metrics Publisher", "applicationinsights:Component", EVERY),
}  # fmt: skip
"""Azure's built-in roles: name, the kind of resource they are given on, and who has them."""
FILES = {
    "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1": ("Storage Blob Data Reader", "principal-orders-dev-static"),
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": ("Storage Blob Data Contributor", "o"),
}
"""On the container of the edge's files: Front Door's identity reads, who deploys writes."""
OPTIONS = {"edge": "waf", "cache": "redis", "protect": "true", "static": "docs", "domain": "orders.example.com"}


@pytest.fixture(scope="module")
def aws(tmp_path_factory):
    return Captured(
        tmp_path_factory.mktemp("aws"), "aws", **OPTIONS, network="private", telemetry="managed",
        dnsZone=ON["aws"]["dnsZone"],
    )  # fmt: skip


@pytest.fixture(scope="module")
def azure(tmp_path_factory):
    # A classic tier: it alone has to be told which protocols it must not speak.
    more = {"apimSku": "Developer", "network": "private", "telemetry": "managed", "dnsZone": ON["azure"]["dnsZone"]}
    return Captured(tmp_path_factory.mktemp("azure"), "azure", **OPTIONS, **more)


def statements(stack):
    for urn, (token, inputs) in stack.resources.items():
        if token == "aws:iam/rolePolicy:RolePolicy":
            for statement in json.loads(inputs["policy"])["Statement"]:
                yield urn.rpartition("::")[2], statement


def test_what_begins_protected_is_replicated_and_keeps_what_is_deleted(azure):
    assert azure.one("azure-native:redisenterprise:RedisEnterprise")["highAvailability"] == "Enabled"
    vault = azure.one("azure-native:keyvault:Vault")["properties"]
    assert (vault["softDeleteRetentionInDays"], vault["enablePurgeProtection"]) == (90, True)


def test_no_star_in_an_action_or_a_resource(aws):
    pairs = list(statements(aws))
    assert len({name for name, _ in pairs}) == len(SERVICE.units) + len(SERVICE.schedules)
    for name, statement in pairs:
        if statement["Effect"] == "Deny":
            continue
        assert statement["Effect"] == "Allow" and set(statement) == {"Effect", "Action", "Resource"}
        for action in statement["Action"]:
            assert "*" not in action, name
            for resource in statement["Resource"]:
                starless = resource.removesuffix(":*") if action.startswith("logs:") else resource  # a group's streams
                assert "*" not in starless or (action, resource) in REVIEWED, (name, action, resource)


def test_a_functions_own_code_is_denied_what_lambda_does_with_its_role(aws):
    denied = {name: one for name, one in statements(aws) if one["Effect"] == "Deny"}
    assert set(denied) == {f"orders-dev-{role}" for role in EVERY}
    for name, statement in denied.items():
        assert set(statement["Action"]) == INTERFACES and statement["Resource"] == ["*"]
        [function] = statement["Condition"]["ArnEquals"]["lambda:SourceFunctionArn"]
        assert function.endswith(f":function:{name}")


def test_only_the_feed_reads_streams_and_only_the_worker_its_queue(aws):
    allowed = {}
    for name, statement in statements(aws):
        allowed.setdefault(name.removeprefix("orders-dev-"), set()).update(statement["Action"])
    assert {unit for unit, actions in allowed.items() if "dynamodb:GetRecords" in actions} == {"feed"}
    assert {unit for unit, actions in allowed.items() if "sqs:ReceiveMessage" in actions} == {"worker"}
    assert {unit for unit, actions in allowed.items() if "lambda:InvokeFunction" in actions} == {"expire-unpaid"}
    assert not any(action.startswith(("iam:", "sts:", "kms:")) for actions in allowed.values() for action in actions)


def test_who_may_take_a_role_or_call_a_function(aws):
    for role in aws.of("aws:iam/role:Role"):
        [trust] = json.loads(role["assumeRolePolicy"])["Statement"]
        assert trust["Principal"] in ({"Service": "lambda.amazonaws.com"}, {"Service": "scheduler.amazonaws.com"})
        assert "managedPolicyArns" not in role
    assert aws.of("aws:iam/rolePolicyAttachment:RolePolicyAttachment") == []
    permission = aws.one("aws:lambda/permission:Permission")
    assert permission["principal"] == "apigateway.amazonaws.com" and permission["sourceArn"] != "*"
    assert permission["function"] == "orders-dev-http"


def test_without_a_gateway_one_function_is_open_and_no_other(tmp_path):
    stack = Captured(tmp_path, "aws", gateway="none")
    permissions = stack.of("aws:lambda/permission:Permission")
    assert {one["principal"] for one in permissions} == {"*"} and {one["function"] for one in permissions} == {
        "orders-dev-http"
    }
    assert all(one.get("functionUrlAuthType") or one.get("invokedViaFunctionUrl") for one in permissions)


def test_each_unit_has_the_roles_that_its_work_needs(azure):
    assert all(token != "azure-native:authorization:RoleDefinition" for token, _ in azure.resources.values())
    held, files = {}, set()
    for one in azure.of("azure-native:authorization:RoleAssignment"):
        definition = one["roleDefinitionId"].rsplit("/", 1)[1]
        if one["scope"] == "/azure-native:storage:BlobContainer/orders-dev-static":
            assert one["principalId"] == FILES[definition][1]
            files.add(definition)
            continue
        name, kind, units = ROLES[definition]
        assert one["scope"].startswith(f"/azure-native:{kind}/"), name  # never a group or the subscription
        unit = one["principalId"].removeprefix("principal-orders-dev-")
        assert one["principalType"] == "ServicePrincipal" and unit in units, (name, unit)
        held.setdefault(definition, set()).add(unit)
    assert held == {definition: units for definition, (_, _, units) in ROLES.items()} and files == set(FILES)
    assert "gateway" not in {
        unit for units in held.values() for unit in units
    }  # its token opens the service and nothing else
    data = azure.of("azure-native:cosmosdb:SqlResourceSqlRoleAssignment")
    assert len(data) == len(SERVICE.units) and all(one["roleDefinitionId"].endswith("-000000000002") for one in data)


def test_code_and_releases_are_apart_and_each_units_own(azure):
    """No unit may write another's package, or a release; of the account itself nobody has a role."""
    [code] = [urn for urn in azure.resources if urn.endswith("StorageAccount::orders-dev-code")]
    account = azure.resources[code][1]["accountName"]
    containers = azure.named("azure-native:storage:BlobContainer")
    within = {name for name, one in containers.items() if one["accountName"] == account}
    assert within == {"orders-dev-releases", *(f"orders-dev-{role}" for role in EVERY)}
    scopes = {f"/azure-native:storage:BlobContainer/{name}": name for name in within}
    principals = {}
    for one in azure.of("azure-native:authorization:RoleAssignment"):
        assert one["scope"] != "/azure-native:storage:StorageAccount/orders-dev-code"
        if one["scope"] in scopes:
            assert one["roleDefinitionId"].endswith("/ba92f5b4-2d11-453d-a403-e96b0029c9fe")
            principals.setdefault(scopes[one["scope"]], []).append(one["principalId"])
    assert principals == {"orders-dev-releases": [DEPLOYER]} | {
        f"orders-dev-{role}": [f"principal-orders-dev-{role}"] for role in EVERY
    }
    for app in azure.of("azure-native:web:WebApp"):
        package = app["functionAppConfig"]["deployment"]["storage"]["value"]
        role = next(one["value"] for one in app["siteConfig"]["appSettings"] if one["name"] == "TWOFOLD_ROLE")
        assert package == f"https://{account}.blob.core.windows.net/{role}"
        host = {one["name"]: one["value"] for one in app["siteConfig"]["appSettings"]}[
            "AzureWebJobsStorage__accountName"
        ]
        assert host != account and f"https://{host}" not in package


def test_nothing_stored_is_public(aws, azure):
    """A queue or secret with a policy of its own would show here; the one bucket's lets in one distribution (test_edge.py)."""
    assert not [
        t for t, _ in aws.resources.values() if t.endswith(("Policy:QueuePolicy", "SecretPolicy", "ResourcePolicy"))
    ]
    block = aws.one("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock")
    assert len(aws.of("aws:s3/bucket:Bucket")) == 1 and sum(value is True for value in block.values()) == 4
    for account in azure.of("azure-native:storage:StorageAccount"):
        assert account["allowBlobPublicAccess"] is False and account["allowSharedKeyAccess"] is False
    containers = azure.of("azure-native:storage:BlobContainer")
    assert containers and all(one.get("publicAccess", "None") == "None" for one in containers)


def test_local_authentication_is_off(azure):
    assert azure.one("azure-native:cosmosdb:DatabaseAccount")["disableLocalAuth"] is True
    assert azure.one("azure-native:eventgrid:Topic")["disableLocalAuth"] is True
    assert azure.one("azure-native:applicationinsights:Component")["disableLocalAuth"] is True
    assert azure.one("azure-native:keyvault:Vault")["properties"]["enableRbacAuthorization"] is True
    assert all(
        one["ftpsState"] == "Disabled" for one in (app["siteConfig"] for app in azure.of("azure-native:web:WebApp"))
    )
    settings = azure.one("azure-native:web:WebAppAuthSettingsV2")
    assert settings["platform"] == {"enabled": True} and settings["globalValidation"]["requireAuthentication"] is True
    assert settings["login"]["tokenStore"] == {"enabled": False} and settings["httpSettings"] == {"requireHttps": True}


def test_tls_1_2_is_the_least(aws, azure):
    for app in azure.of("azure-native:web:WebApp"):
        site = app["siteConfig"]
        assert (site["minTlsVersion"], site["scmMinTlsVersion"], app["httpsOnly"]) == ("1.2", "1.2", True)
    for account in azure.of("azure-native:storage:StorageAccount"):
        assert account["minimumTlsVersion"] == "TLS1_2" and account["enableHttpsTrafficOnly"] is True
    assert azure.one("azure-native:cosmosdb:DatabaseAccount")["minimalTlsVersion"] == "Tls12"
    assert azure.one("azure-native:eventgrid:Topic")["minimumTlsVersionAllowed"] == "1.2"
    assert azure.one("azure-native:apimanagement:Api")["protocols"] == ["https"]
    service = azure.one("azure-native:apimanagement:ApiManagementService")
    old = {name.rsplit(".", 1)[1] for name in service["customProperties"]}
    assert old == {"Tls10", "Tls11", "Ssl30"} and set(service["customProperties"].values()) == {"false"}
    routes = azure.of("azure-native:cdn:Route")
    assert [(r["supportedProtocols"], r["forwardingProtocol"]) for r in routes] == [(["Https"], "HttpsOnly")] * 2
    assert azure.one("azure-native:cdn:AFDCustomDomain")["tlsSettings"]["minimumTlsVersion"] == "TLS12"
    distribution = aws.one("aws:cloudfront/distribution:Distribution")
    origin, files = distribution["origins"]
    assert origin["customOriginConfig"]["originSslProtocols"] == ["TLSv1.2"]
    assert origin["customOriginConfig"]["originProtocolPolicy"] == "https-only"
    assert "customOriginConfig" not in files  # S3, by HTTPS: its bucket refuses the rest
    for behavior in (distribution["defaultCacheBehavior"], *distribution["orderedCacheBehaviors"]):
        assert behavior["viewerProtocolPolicy"] == "https-only"
    # On CloudFront's own name a minimum can't be set.
    assert distribution["viewerCertificate"]["minimumProtocolVersion"] == "TLSv1.2_2021"
    for stack in (aws, azure):
        assert "http://" not in json.dumps([inputs for _, inputs in stack.resources.values()])


def test_what_rests_is_encrypted(aws):
    """On Azure it always is, as in DynamoDB, and can't be switched off."""
    assert all(one["sqsManagedSseEnabled"] for one in aws.of("aws:sqs/queue:Queue"))


def test_secrets_stand_in_the_state_encrypted_or_not_at_all(aws, azure):
    from tests.engine.answers import EDGE_VALUE, FRONT_DOOR_ID

    for stack, secret in ((aws, EDGE_VALUE), (azure, FRONT_DOOR_ID)):
        assert secret not in stack.on_disk and secret not in json.dumps(stack.outputs)
        assert secret in json.dumps(stack.state)  # decrypted: it is there, so the line above says something
