"""Both stacks on the real engine: preview, up, up again, a changed setting, destroy; and what they make."""

import json
import runpy
import zipfile
from pathlib import Path

import pytest
from pulumi import automation

from api.manifest import SERVICE
from tests.emulators.tool import needing
from tests.engine.answers import SUBSCRIPTION
from tests.engine.engine import Engine
from tools import pulumi_cli
from twofold.deploy.config import KEYS
from twofold.manifest import ServiceManifest
from twofold.settings import MARKER, Settings, marker, release, variable_names

ROOT = Path(__file__).parents[2]
OUTPUTS = {
    "service", "customer", "environment", "region", "encryption_key", "url", "health_url", "docs_url", "store_url", "queue_url",
    "events_url", "secrets_url", "cache_url", "artifact", "units", "releases_url", "dashboard_url",
}  # fmt: skip
DATA = (
    "aws:dynamodb/table:Table", "aws:secretsmanager/secret:Secret", "azure-native:cosmosdb:DatabaseAccount",
    "azure-native:cosmosdb:SqlResourceSqlDatabase", "azure-native:cosmosdb:SqlResourceSqlContainer",
    "azure-native:keyvault:Vault", "aws:sqs/queue:Queue", "azure-native:storage:Queue",
)  # fmt: skip


def config(cloud, /, **changed):
    base = {
        "cloud": cloud,
        "environment": "dev",
        "region": {"aws": "eu-central-1", "azure": "westeurope"}.get(cloud, "x"),
        "oidcIssuer": "https://issuer.example",
        "oidcAudience": "orders",
        "settings": json.dumps({"payment_url": "https://payments.example"}),
    }
    return {f"twofold:{key}": value for key, value in (base | changed).items()}


def program():
    runpy.run_path(str(ROOT / "stacks" / "__main__.py"), run_name="__main__")


def started(folder, cloud, **arguments):
    needing(pulumi_cli.find)
    return Engine(folder, arguments.pop("stack", f"dev-{cloud}"), config(cloud), arguments.pop("program", program))


@pytest.fixture(scope="module", params=["azure", "aws"])
def cloud(request):
    return request.param


@pytest.fixture(scope="module")
def life(tmp_path_factory, cloud):
    """One stack's whole life, recorded: the tests below read it."""
    engine = started(tmp_path_factory.mktemp(cloud), cloud)
    record = {"preview": engine.preview(), "up": engine.up(), "outputs": engine.outputs}
    record["resources"] = dict(engine.standin.resources)
    record["again"] = engine.up()
    engine.configure(config(cloud, logLevel="debug", settings=json.dumps({"payment_url": "https://other.example"})))
    record["changed"] = engine.up()
    record["after"] = dict(engine.standin.resources)
    record["state"] = json.dumps(engine.state())
    record["destroy"] = engine.destroy()
    record["left"] = dict(engine.standin.resources)
    engine.close()
    return record


def of_type(record, token):
    return [inputs for kind, inputs in record["resources"].values() if kind == token]


def test_a_stack_lives(life):
    assert life["preview"] == {"create": life["up"]["create"]}
    assert set(life["again"]) == {"same"}, life["again"]
    assert life["changed"]["update"] > 0 and set(life["changed"]) <= {"update", "same"}, life["changed"]
    assert life["destroy"]["delete"] == life["up"]["create"] and life["left"] == {}


def test_a_changed_setting_touches_no_data(life):
    kept = {urn: inputs for urn, (token, inputs) in life["resources"].items() if token in DATA}
    assert kept and all(life["after"][urn][1] == inputs for urn, inputs in kept.items())


def test_both_export_the_same_outputs(life, cloud):
    assert set(life["outputs"]) == OUTPUTS
    assert life["outputs"]["store_url"].startswith({"aws": "dynamodb://", "azure": "cosmos://"}[cloud])
    assert life["outputs"]["health_url"] == life["outputs"]["url"] + "/health/ready"


def environments(life, cloud):
    """The variables of each unit, without the host's own."""
    if cloud == "aws":
        return [function["environment"]["variables"] for function in of_type(life, "aws:lambda/function:Function")]
    apps = of_type(life, "azure-native:web:WebApp")
    variables = [{pair["name"]: pair["value"] for pair in app["siteConfig"]["appSettings"]} for app in apps]
    return [{key: value for key, value in one.items() if key.startswith("TWOFOLD_")} for one in variables]


def test_the_environment_is_what_settings_reads(life, cloud, tmp_path):
    (tmp_path / MARKER).write_text(marker("orders", "0.1.0", cloud))
    units = environments(life, cloud)
    assert sorted(unit["TWOFOLD_ROLE"] for unit in units) == sorted(unit.role for unit in SERVICE.units)
    for unit in units:
        assert set(unit) == set(variable_names(SERVICE))
        settings = Settings.load(unit, SERVICE, tmp_path)
        assert settings.deployed and settings.store_url == life["outputs"]["store_url"]
        assert settings.app == {"payment_url": "https://payments.example"}


def test_no_key_or_token_is_stored(life, cloud):
    text = life["state"].lower()
    for word in ("sharedaccess", "accountkey=", "listkeys", "aws_secret", "secretstring"):
        assert word not in text
    if cloud == "azure":
        [account] = of_type(life, "azure-native:cosmosdb:DatabaseAccount")
        assert account["disableLocalAuth"] is True
        assert account["consistencyPolicy"]["defaultConsistencyLevel"] == "Strong"
        accounts = of_type(life, "azure-native:storage:StorageAccount")
        assert len(accounts) == 2
        assert not any(one["allowSharedKeyAccess"] or one["allowBlobPublicAccess"] for one in accounts)
        [vault] = of_type(life, "azure-native:keyvault:Vault")
        assert vault["properties"]["enableRbacAuthorization"] is True


def test_each_unit_may_do_what_it_needs(life, cloud):
    if cloud == "aws":
        for policy in of_type(life, "aws:iam/rolePolicy:RolePolicy"):
            for statement in json.loads(policy["policy"])["Statement"]:
                assert not any("*" in action for action in statement["Action"])
                assert statement["Resource"] != ["*"] or statement["Action"] == ["dynamodb:ListStreams"]
    else:
        roles = {
            a["roleDefinitionId"].rsplit("/", 1)[1] for a in of_type(life, "azure-native:authorization:RoleAssignment")
        }
        assert roles == {
            "b7e6dc6d-f1e8-4753-8033-0f276bb0955b", "4633458b-17de-408a-b874-0445c86b69e6",
            "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
            "d5a91429-5739-47e2-a06b-3470a27159e7", "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a", "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
        }  # fmt: skip
        assert len(of_type(life, "azure-native:cosmosdb:SqlResourceSqlRoleAssignment")) == len(SERVICE.units)


def test_only_the_gateway_reaches_the_service(life, cloud):
    """The http unit's host asks for the gateway's identity; the other units answer nobody. Lambda has no address at all."""
    if cloud == "aws":
        assert of_type(life, "aws:lambda/functionUrl:FunctionUrl") == []
        [permission] = of_type(life, "aws:lambda/permission:Permission")
        assert permission["principal"] == "apigateway.amazonaws.com" and permission["sourceArn"].endswith("/*")
        assert permission["qualifier"] == "live"
        return
    apps = of_type(life, "azure-native:web:WebApp")
    defaults = {app["name"].rsplit("-", 1)[0]: app["siteConfig"]["ipSecurityRestrictionsDefaultAction"] for app in apps}
    assert defaults == {f"orders-dev-{unit.role}": "Allow" if unit.role == "http" else "Deny" for unit in SERVICE.units}
    [settings] = of_type(life, "azure-native:web:WebAppAuthSettingsV2")
    assert settings["name"].startswith("orders-dev-http-")
    assert settings["globalValidation"] == {"requireAuthentication": True, "unauthenticatedClientAction": "Return401"}
    directory = settings["identityProviders"]["azureActiveDirectory"]
    allowed = directory["validation"]["defaultAuthorizationPolicy"]["allowedPrincipals"]
    assert allowed == {"identities": ["principal-orders-dev-gateway"]}
    [service] = of_type(life, "azure-native:apimanagement:ApiManagementService")
    assert list(service["identity"]["userAssignedIdentities"]) == [
        "/azure-native:managedidentity:UserAssignedIdentity/orders-dev-gateway"
    ]
    assert {unit["TWOFOLD_GATEWAY_ID"] for unit in environments(life, cloud)} == {"principal-orders-dev-gateway"}


def test_the_manifest_is_all_there(life, cloud):
    if cloud == "aws":
        assert {s["name"] for s in of_type(life, "aws:secretsmanager/secret:Secret")} == {"orders-dev/payment-api-key"}
        [schedule] = of_type(life, "aws:scheduler/schedule:Schedule")
        assert json.loads(schedule["target"]["input"]) == {"twofold": {"schedule": "expire-unpaid"}}
        mappings = of_type(life, "aws:lambda/eventSourceMapping:EventSourceMapping")
        assert len(mappings) == 2  # the feed and the queue
        assert all(mapping["functionResponseTypes"] == ["ReportBatchItemFailures"] for mapping in mappings)
        queues = {queue["name"]: queue for queue in of_type(life, "aws:sqs/queue:Queue")}
        assert set(queues) == {"orders-dev-payments", "orders-dev-payments-poison"}
        assert json.loads(queues["orders-dev-payments"]["redrivePolicy"])["maxReceiveCount"] == 17
        [bus] = of_type(life, "aws:cloudwatch/eventBus:EventBus")
        assert bus["name"] == "orders-dev" and life["outputs"]["events_url"] == "eventbridge://eu-central-1/orders-dev"
        [alarm] = of_type(life, "aws:cloudwatch/metricAlarm:MetricAlarm")
        assert alarm["dimensions"] == {"QueueName": "orders-dev-payments-poison"}
    else:
        containers = {c["containerName"] for c in of_type(life, "azure-native:cosmosdb:SqlResourceSqlContainer")}
        assert containers == {"events", "documents", "leases"}
        [topic] = of_type(life, "azure-native:eventgrid:Topic")
        assert topic["inputSchema"] == "CloudEventSchemaV1_0" and topic["disableLocalAuth"] is True
        assert life["outputs"]["events_url"].startswith("eventgrid://orders-dev-")
        queues = {queue["queueName"] for queue in of_type(life, "azure-native:storage:Queue")}
        assert queues == {"orders-payments", "orders-payments-poison"}
        [alarm] = of_type(life, "azure-native:monitor:ScheduledQueryRule")
        assert '"/orders-payments-poison/messages"' in alarm["criteria"]["allOf"][0]["query"]
        logged = {one["resourceUri"]: one for one in of_type(life, "azure-native:monitor:DiagnosticSetting")}
        [queues] = [one for uri, one in logged.items() if uri.endswith("/queueServices/default")]
        apps = {f"/azure-native:web:WebApp/orders-dev-{unit.role}" for unit in SERVICE.units}
        assert set(logged) == apps | {queues["resourceUri"]}
        assert all(logged[app]["logs"] == [{"category": "FunctionAppLogs", "enabled": True}] for app in apps)


def dynamic(record):
    """The dynamic resources' inputs, by logical name."""
    found = (
        (urn, inputs) for urn, (token, inputs) in record["resources"].items() if token.startswith("pulumi-python:")
    )
    return {urn.rpartition("::")[2]: inputs for urn, inputs in found}


def test_on_azure_the_artifact_is_deployed_kept_and_asked_for(life, cloud):
    if cloud == "aws":
        return
    resources, outputs = dynamic(life), life["outputs"]
    assert resources["orders-dev-health"]["confirmed"] is True
    kept, check = resources.pop("orders-dev-releases"), resources.pop("orders-dev-health")
    assert set(resources) == {f"orders-dev-{unit.role}-code" for unit in SERVICE.units}
    assert {one["app"] for one in resources.values()} == set(outputs["units"].values())
    assert set(outputs["units"]) == {unit.role for unit in SERVICE.units}
    assert {one["digest"] for one in resources.values()} | {kept["digest"]} == {outputs["artifact"]}
    assert kept["url"] == outputs["releases_url"] and kept["count"] == 5
    assert outputs["releases_url"].startswith("https://ordersdev") and outputs["releases_url"].endswith("/releases")
    [deployer] = [
        one for one in of_type(life, "azure-native:authorization:RoleAssignment") if one["principalId"] == "o"
    ]
    assert deployer["scope"] == "/azure-native:storage:BlobContainer/orders-dev-releases"
    assert (
        check["url"] == outputs["url"] and check["app"] == check["source"] == "/azure-native:web:WebApp/orders-dev-http"
    )
    [http] = [app for app in of_type(life, "azure-native:web:WebApp") if app["name"] == outputs["units"]["http"]]
    variables = {pair["name"]: pair["value"] for pair in http["siteConfig"]["appSettings"]}
    marker = zipfile.ZipFile(kept["path"]).read(MARKER).decode()
    assert check["release"] == release(marker, variables | {"PATH": "/bin", "TWOFOLD_TEST_X": "y"})


def test_on_azure_a_changed_setting_is_asked_for_and_uploads_nothing(life, cloud):
    if cloud == "aws":
        return
    before, after = dynamic(life), dynamic({"resources": life["after"]})
    assert {name for name in before if before[name] != after[name]} == {"orders-dev-health"}


def test_on_azure_units_scale_as_they_are_told(tmp_path, cloud):
    if cloud == "aws":
        return
    engine = started(tmp_path, cloud)
    engine.up()

    def scales():
        apps = [one for token, one in engine.standin.resources.values() if token == "azure-native:web:WebApp"]
        return {app["name"].split("-")[2]: app["functionAppConfig"] for app in apps}

    usual = {"maximumInstanceCount": 100, "instanceMemoryMB": 2048, "alwaysReady": []}
    http = usual | {"triggers": {"http": {"perInstanceConcurrency": 16}}}
    assert {role: one["scaleAndConcurrency"] for role, one in scales().items()} == {
        "http": http, "feed": usual, "schedule": usual, "worker": usual,
    }  # fmt: skip
    assert {one["siteUpdateStrategy"]["type"] for one in scales().values()} == {"Recreate"}
    most, warm = {"http": 40, "worker": 1}, {"http": 2, "worker": 1, "schedule": 1, "feed": 1}
    changed = {"maxInstances": json.dumps(most), "warmInstances": json.dumps(warm), "rollingUpdates": "true"}
    engine.configure(config(cloud, memoryMb="512", **changed))
    engine.up()
    found = {role: one["scaleAndConcurrency"] for role, one in scales().items()}
    assert {role: one["maximumInstanceCount"] for role, one in found.items()} == {"feed": 100, "schedule": 100} | most
    groups = {
        "http": "http",
        "worker": "function:queue_payments",
        "schedule": "function:expire_unpaid",
        "feed": "function:feed",
    }
    assert {role: one["alwaysReady"] for role, one in found.items()} == {
        role: [{"name": groups[role], "instanceCount": count}] for role, count in warm.items()
    }
    assert found["http"]["triggers"] == {"http": {"perInstanceConcurrency": 4}}
    assert {one["siteUpdateStrategy"]["type"] for one in scales().values()} == {"RollingUpdate"}
    assert not [urn for urn in engine.standin.deleted if "WebApp" in urn]
    engine.close()


def test_on_azure_an_image_runs_in_containers_with_what_the_zip_had(life, tmp_path, cloud):
    """Same identities, roles, variables and closing; units that something can wake scale to zero."""
    if cloud == "aws":
        return
    image = "company.azurecr.io/shop/orders@sha256:" + "a" * 64
    registry = f"/subscriptions/{'0' * 8}-0000-0000-0000-{'0' * 12}/resourceGroups/shared/providers"
    registry += "/Microsoft.ContainerRegistry/registries/company"
    engine = started(tmp_path, cloud)
    engine.up()
    data = {urn for urn, (token, _) in engine.standin.resources.items() if token in DATA}
    engine.configure(config(cloud, image=image, registry=registry, maxInstances=json.dumps({"worker": 3})))
    engine.up()
    record = {"resources": dict(engine.standin.resources), "outputs": engine.outputs}
    assert data and not data & engine.standin.deleted and of_type(record, "azure-native:web:WebApp") == []
    engine.close()
    containers = {
        one["containerAppName"].split("-")[2]: one for one in of_type(record, "azure-native:app:ContainerApp")
    }
    assert set(containers) == {unit.role for unit in SERVICE.units} and record["outputs"]["releases_url"] == ""
    assert {role: one["containerAppName"] for role, one in containers.items()} == record["outputs"]["units"]
    assert all(len(one["containerAppName"]) <= 32 for one in containers.values())
    apps = {app["name"].split("-")[2]: app for app in of_type(life, "azure-native:web:WebApp")}
    for role, one in containers.items():
        [container] = one["template"]["containers"]
        variables = {pair["name"]: pair["value"] for pair in container["env"]}
        assert variables == {pair["name"]: pair["value"] for pair in apps[role]["siteConfig"]["appSettings"]}
        assert container["image"] == image and container["resources"] == {"cpu": 0.5, "memory": "1Gi"}
        [identity] = one["identity"]["userAssignedIdentities"]
        assert one["configuration"]["registries"] == [{"server": "company.azurecr.io", "identity": identity}]
    [account] = [
        one["accountName"]
        for one in of_type(record, "azure-native:storage:StorageAccount")
        if "queues" in one["accountName"]
    ]
    scale = {role: one["template"]["scale"] for role, one in containers.items()}
    assert {role: (one["minReplicas"], one["maxReplicas"]) for role, one in scale.items()} == {
        "http": (0, 100), "worker": (0, 3), "feed": (1, 100), "schedule": (1, 100),
    }  # fmt: skip
    [rule] = scale["worker"]["rules"]
    [identity] = containers["worker"]["identity"]["userAssignedIdentities"]
    assert rule["azureQueue"] == {
        "accountName": account, "queueName": "orders-payments", "queueLength": 16, "identity": identity,
    }  # fmt: skip
    ingress = {role: one["configuration"].get("ingress") for role, one in containers.items()}
    assert ingress.pop("http") == {"external": True, "targetPort": 80, "transport": "auto", "allowInsecure": False}
    assert set(ingress.values()) == {None}
    [closed] = of_type(record, "azure-native:app:ContainerAppsAuthConfig")
    [open_] = of_type(life, "azure-native:web:WebAppAuthSettingsV2")
    assert closed["containerAppName"] == record["outputs"]["units"]["http"] and closed["authConfigName"] == "current"
    assert closed["platform"] == {"enabled": True} and closed["identityProviders"] == open_["identityProviders"]
    assert closed["globalValidation"] == {"unauthenticatedClientAction": "Return401"}
    roles = {
        (a["principalId"], a["roleDefinitionId"].rsplit("/", 1)[1], a["scope"])
        for a in of_type(record, "azure-native:authorization:RoleAssignment")
    }
    before = {
        (a["principalId"], a["roleDefinitionId"].rsplit("/", 1)[1], a["scope"])
        for a in of_type(life, "azure-native:authorization:RoleAssignment")
        if a["principalId"] != "o"
    }
    pulls = {(f"principal-orders-dev-{role}", "7f951dda-4ed3-4680-a7ca-43fe172d538d", registry) for role in containers}
    assert roles == before | pulls
    [api] = of_type(record, "azure-native:apimanagement:Api")
    assert api["serviceUrl"] == f"https://{record['outputs']['units']['http']}.happy-1.westeurope.azurecontainerapps.io"
    [check] = dynamic(record).values()
    assert check["confirmed"] is False and check["app"] == "/azure-native:app:ContainerApp/orders-dev-http"
    assert check["source"] == "/azure-native:app:ManagedEnvironment/orders-dev"


def test_a_plain_app_gets_no_store(tmp_path, cloud, monkeypatch):
    plain = ServiceManifest("plain", app="main:app")
    monkeypatch.setattr("api.manifest.SERVICE", plain)
    engine = started(tmp_path, cloud)
    engine.configure(config(cloud, settings="{}"))
    engine.up()
    kinds = {token for token, _ in engine.standin.resources.values()}
    engine.close()
    assert not [kind for kind in kinds if kind.startswith((*DATA, "aws:scheduler/", "aws:lambda/eventSourceMapping"))]
    assert {"aws:lambda/function:Function", "azure-native:web:WebApp"} & kinds


@pytest.mark.parametrize(
    ("changed", "stack", "told"),
    [
        ({"cloud": "gcp"}, "dev-aws", "twofold:cloud is 'gcp'; allowed: aws, azure"),
        ({}, "dev-azure", "its name must end in '-aws'"),
        ({"memory": "1"}, "dev-aws", "twofold:memory is unknown"),
        ({"memoryMb": "7", "logLevel": "loud"}, "dev-aws", "twofold:logLevel is 'loud'; allowed: debug"),
        ({"settings": "{}"}, "dev-aws", "twofold:settings.payment_url is missing"),
        ({"oidcIssuer": ""}, "dev-aws", "twofold:oidcIssuer is missing"),
        ({"cache": "memcached"}, "dev-aws", "twofold:cache is 'memcached'; allowed: none, redis"),
        ({"limits": '{"reads": "5/week"}'}, "dev-aws", "twofold:limits.reads is '5/week': it must be like 600/minute"),
        ({"limits": '{"all": "5/day"}'}, "dev-aws", "twofold:limits has 'all'; it may have reads, writes, anonymous"),
        ({"gateway": "some"}, "dev-aws", "twofold:gateway is 'some'; allowed: managed, existing, none"),
        ({"gateway": "existing"}, "dev-aws", "'existing', which is Azure's"),
        ({"apimSku": "Basic"}, "dev-aws", "twofold:apimSku is Azure's"),
        ({"gateway": "none", "edge": "waf"}, "dev-aws", "twofold:edge needs a gateway behind it"),
        ({"gateway": "none", "gatewayRate": "5"}, "dev-aws", "twofold:gatewayRate needs a gateway"),
        ({"gatewayRate": "0"}, "dev-aws", "requests per second, 1 to 10000"),
        ({"cloud": "azure", "gatewayRate": "5"}, "dev-azure", "Consumption tier counts only subscription keys"),
        ({"cloud": "azure", "gateway": "existing"}, "dev-azure", "twofold:apim names the existing service"),
        ({"cloud": "azure", "apim": "company"}, "dev-azure", "the resource id of an API Management service"),
        (
            {"corsOrigins": "https://shop.example,*"},
            "dev-aws",
            "twofold:corsOrigins is 'https://shop.example,*'; allowed: origins",
        ),
    ],
)
def test_a_config_mistake_stops_before_any_resource(tmp_path, changed, stack, told):
    engine = started(tmp_path, "aws", stack=stack)
    engine.configure(config("aws", **changed))
    with pytest.raises(automation.CommandError) as failed:
        engine.up()
    assert told in str(failed.value) and "Traceback" not in str(failed.value)
    assert engine.standin.resources == {}
    engine.close()


SHARED = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/shared/providers"
EVERYTHING_ELSE = {
    "memoryMb": "2048",
    "corsOrigins": "https://shop.example, https://other.example:8443",
    "logLevel": "debug",
    "publisherEmail": "ops@shop.example",
    "cache": "redis",
    "limits": json.dumps({"reads": "60/minute", "anonymous": ""}),
    "oidcIssuer": "https://other.example",
    "oidcAudience": "other",
    "settings": json.dumps({"payment_url": "https://other.example"}),
    "tags": json.dumps({"team": "shop"}),
    "protect": "true",
    "gateway": "managed",
    "gatewayRate": "100",
    "edge": "waf",
    "network": "private",
    "static": "docs",
    "domain": "orders.example.com",
    "budget": "100",
    "alertEmail": "ops@shop.example",
    "alertWebhook": "https://chat.example/hook",
    "maxInstances": json.dumps({"http": 20, "worker": 5}),
    "warmInstances": json.dumps({"http": 1}),
    "releases": "3",
    "telemetry": "managed",
    "traceRatio": "0.1",
}
SHARED = "/subscriptions/00000000-0000-0000-0000-00000000abcd/resourceGroups/shared/providers"
ON = {
    "azure": {
        "apimSku": "BasicV2",
        "gatewayAudience": "api://orders-gateway",
        "rollingUpdates": "true",
        "subnets": ",".join(
            f"{SHARED}/Microsoft.Network/virtualNetworks/company/subnets/{one}" for one in ("apps", "endpoints")
        ),
        "dnsZone": f"{SHARED}/Microsoft.Network/dnsZones/example.com",
        "logWorkspace": f"{SHARED}/Microsoft.OperationalInsights/workspaces/company",
    },
    "aws": {
        "dnsZone": "Z0123456789ABC",
        "subnets": "subnet-0aaaaaaa0,subnet-0aaaaaaa1",
        "encryptionKey": "arn:aws:kms:eu-central-1:123456789012:key/0a1b2c3d",
        "maxInstances": json.dumps({"http": 50, "worker": 4}),
        "warmInstances": json.dumps({"http": 2}),
        "permissionsBoundary": "arn:aws:iam::123456789012:policy/boundary",
        "snapStart": "false",
        "image": f"123456789012.dkr.ecr.eu-central-1.amazonaws.com/orders@sha256:{'5' * 64}",
    },
}
INSTEAD = {"aws": {"warmInstances": "", "image": "", "snapStart": "true"}, "azure": {}}
"""What can't be had with the others: switched on before them."""
FOR_GOOD = {
    "encryptionKey": "https://company.vault.azure.net/keys/data",
    "encryptionIdentity": f"{SHARED}/Microsoft.ManagedIdentity/userAssignedIdentities/company",
}
"""Azure's, which tests/stacks/test_encryption.py shows to be refused in a living stack."""
EXISTING = {"apim": "/subscriptions/s/resourceGroups/shared/providers/Microsoft.ApiManagement/service/company"}
CONTAINERS = {"image", "registry"}
"""See `test_on_azure_an_image_runs_in_containers_with_what_the_zip_had`."""
OWN = {"artifact": "of the stack itself, when it has one"}
ACCOUNTS = {"account", "assumeRole", "externalId", "subscription", "tenant", "customer"}
"""Who and where, which tests/stacks/test_accounts.py and tests/unit/deploy/test_config.py hold: another one is refused."""
COVERED = {*EVERYTHING_ELSE, *ON["aws"], *ON["azure"], *EXISTING, *FOR_GOOD, *CONTAINERS, *OWN, *ACCOUNTS, "cloud"}
PLACES = {"region": {"aws": "eu-west-1", "azure": "northeurope"}, "environment": {"aws": "stage", "azure": "stage"}}


def test_every_config_key_is_either_harmless_to_data_or_refused():
    assert {*COVERED, *PLACES} == set(KEYS)


def test_no_config_change_replaces_data_and_protected_data_survives_a_destroy(tmp_path, cloud):
    engine = started(tmp_path, cloud)
    engine.up()
    held = (*DATA, "azure-native:resources:ResourceGroup")
    data = {urn for urn, (token, _) in engine.standin.resources.items() if token in held}
    assert len(data) == {"aws": 5, "azure": 9}[cloud]
    own = {"artifact": engine.outputs["artifact"]}
    # An image is no artifact of a zip: the one that names both is refused.
    everything = EVERYTHING_ELSE | ON[cloud]
    for values in (everything | INSTEAD[cloud] | own, everything | {"artifact": ""}):
        engine.configure(config(cloud, **values))
        engine.up()
        assert not data & engine.standin.deleted
    engine.standin.deleted.clear()
    for key, values in PLACES.items():
        # A KMS key has to be in the stack's region.
        moved = {name: text.replace("eu-central-1", values["aws"]) for name, text in everything.items()}
        engine.configure(config(cloud, **(moved if key == "region" else everything) | {key: values[cloud]}))
        with pytest.raises(automation.CommandError, match="a living stack can't move") as refused:
            engine.up()
        assert "Traceback" not in str(refused.value) and key in str(refused.value)
    engine.configure(config(cloud, **everything))
    with pytest.raises(automation.CommandError, match="protect"):
        engine.destroy()
    assert engine.standin.deleted == set() and data <= set(engine.standin.resources)
    engine.close()


def test_names_and_types_are_frozen(life, cloud):
    """A renamed resource is a deleted and a created one: a rename carries an alias and a new line here."""
    found = {f"{urn.split('::')[2].split('$')[-1]} {urn.split('::')[-1]}" for urn in life["resources"]}
    golden = ROOT / "tests/contract/golden" / f"resources-{cloud}.txt"
    assert sorted(found) == golden.read_text().splitlines()
