"""Both stacks on the real engine: preview, up, up again, a changed setting, destroy; and what they make."""

import json

import pytest

from api.manifest import SERVICE
from tests.stacks.stack import DATA, OUTPUTS, config, environments, golden, listed, started
from twofold.manifest import ServiceManifest
from twofold.settings import MARKER, Settings, marker, variable_names


@pytest.fixture(scope="module")
def life(tmp_path_factory, cloud):
    """One stack's whole life, recorded: the tests below read it."""
    engine = started(tmp_path_factory.mktemp(cloud), cloud)
    record = {"preview": engine.preview(), "up": engine.up(), "outputs": engine.outputs}
    record["resources"] = engine.resources()
    record["again"] = engine.up()
    engine.configure(config(cloud, logLevel="debug", settings=json.dumps({"payment_url": "https://other.example"})))
    record["changed"] = engine.up()
    record["after"] = engine.resources()
    record["state"] = json.dumps(engine.state())
    record["destroy"] = engine.destroy()
    record["left"] = engine.resources()
    record["anew"] = engine.up()
    engine.close()
    return record


def test_a_stack_lives(life):
    assert life["preview"] == {"create": life["up"]["create"]}
    assert set(life["again"]) == {"same"}, life["again"]
    assert life["changed"]["update"] > 0 and set(life["changed"]) <= {"update", "same"}, life["changed"]
    assert life["destroy"]["delete"] == life["up"]["create"] and life["left"] == {}
    assert life["anew"] == life["up"]  # no name is taken by what was deleted


def test_backups_reach_as_far_back_as_costs_nothing_more(resources, cloud):
    """DynamoDB's 35 days are what it has unless told otherwise; Cosmos DB's 30 have a price."""
    if cloud == "aws":
        tables = resources.of("aws:dynamodb/table:Table")
        assert tables and all(one["pointInTimeRecovery"] == {"enabled": True} for one in tables)
    else:
        policy = resources.one("azure-native:cosmosdb:DatabaseAccount")["backupPolicy"]
        assert policy == {"type": "Continuous", "continuousModeProperties": {"tier": "Continuous7Days"}}


def test_a_changed_setting_touches_no_data(life, resources):
    kept = {urn: inputs for urn, (token, inputs) in resources.items() if token in DATA}
    assert kept and all(life["after"][urn][1] == inputs for urn, inputs in kept.items())


def test_both_export_the_same_outputs(life, cloud):
    assert set(life["outputs"]) == OUTPUTS
    assert life["outputs"]["store_url"].startswith({"aws": "dynamodb://", "azure": "cosmos://"}[cloud])
    assert life["outputs"]["health_url"] == life["outputs"]["url"] + "/health/ready"


def test_the_environment_is_what_settings_reads(life, resources, cloud, tmp_path):
    (tmp_path / MARKER).write_text(marker("orders", "0.1.0", cloud))
    units = environments(resources, cloud)
    assert sorted(unit["TWOFOLD_ROLE"] for unit in units) == sorted(unit.role for unit in SERVICE.units)
    for unit in units:
        assert set(unit) == set(variable_names(SERVICE))
        settings = Settings.load(unit, SERVICE, tmp_path)
        assert settings.deployed and settings.store_url == life["outputs"]["store_url"]
        assert settings.app == {"payment_url": "https://payments.example"}


def test_no_key_or_token_is_stored(life, resources, cloud):
    text = life["state"].lower()
    for word in ("sharedaccess", "accountkey=", "listkeys", "aws_secret", "secretstring"):
        assert word not in text
    if cloud == "azure":
        account = resources.one("azure-native:cosmosdb:DatabaseAccount")
        assert account["disableLocalAuth"] is True
        assert account["consistencyPolicy"]["defaultConsistencyLevel"] == "Strong"
        accounts = resources.of("azure-native:storage:StorageAccount")
        assert len(accounts) == 3
        assert not any(one["allowSharedKeyAccess"] or one["allowBlobPublicAccess"] for one in accounts)
        vault = resources.one("azure-native:keyvault:Vault")
        assert vault["properties"]["enableRbacAuthorization"] is True


def test_each_unit_may_do_what_it_needs(resources, cloud):
    if cloud == "aws":
        for policy in resources.of("aws:iam/rolePolicy:RolePolicy"):
            for statement in json.loads(policy["policy"])["Statement"]:
                assert not any("*" in action for action in statement["Action"])
                assert statement["Resource"] != ["*"] or statement["Action"] == ["dynamodb:ListStreams"]
    else:
        roles = {
            a["roleDefinitionId"].rsplit("/", 1)[1] for a in resources.of("azure-native:authorization:RoleAssignment")
        }
        assert roles == {
            "b7e6dc6d-f1e8-4753-8033-0f276bb0955b", "4633458b-17de-408a-b874-0445c86b69e6",
            "ba92f5b4-2d11-453d-a403-e96b0029c9fe", "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
            "d5a91429-5739-47e2-a06b-3470a27159e7", "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a", "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
        }  # fmt: skip
        assert len(resources.of("azure-native:cosmosdb:SqlResourceSqlRoleAssignment")) == len(SERVICE.units)


def test_only_the_gateway_reaches_the_service(resources, cloud):
    """The http unit's host asks for the gateway's identity; the other units answer nobody. Lambda has no address at all."""
    if cloud == "aws":
        assert resources.of("aws:lambda/functionUrl:FunctionUrl") == []
        permission = resources.one("aws:lambda/permission:Permission")
        assert permission["principal"] == "apigateway.amazonaws.com" and permission["sourceArn"].endswith("/*")
        assert permission["qualifier"] == "live"
        return
    apps = resources.of("azure-native:web:WebApp")
    defaults = {app["name"].rsplit("-", 1)[0]: app["siteConfig"]["ipSecurityRestrictionsDefaultAction"] for app in apps}
    assert defaults == {f"orders-dev-{unit.role}": "Allow" if unit.role == "http" else "Deny" for unit in SERVICE.units}
    settings = resources.one("azure-native:web:WebAppAuthSettingsV2")
    assert settings["name"].startswith("orders-dev-http-")
    assert settings["globalValidation"] == {"requireAuthentication": True, "unauthenticatedClientAction": "Return401"}
    directory = settings["identityProviders"]["azureActiveDirectory"]
    allowed = directory["validation"]["defaultAuthorizationPolicy"]["allowedPrincipals"]
    assert allowed == {"identities": ["principal-orders-dev-gateway"]}
    service = resources.one("azure-native:apimanagement:ApiManagementService")
    assert list(service["identity"]["userAssignedIdentities"]) == [
        "/azure-native:managedidentity:UserAssignedIdentity/orders-dev-gateway"
    ]
    assert {unit["TWOFOLD_GATEWAY_ID"] for unit in environments(resources, cloud)} == {"principal-orders-dev-gateway"}


def test_the_manifest_is_all_there(life, resources, cloud):
    if cloud == "aws":
        assert {s["name"] for s in resources.of("aws:secretsmanager/secret:Secret")} == {"orders-dev/payment-api-key"}
        schedule = resources.one("aws:scheduler/schedule:Schedule")
        assert json.loads(schedule["target"]["input"]) == {"twofold": {"schedule": "expire-unpaid"}}
        mappings = resources.of("aws:lambda/eventSourceMapping:EventSourceMapping")
        assert len(mappings) == 2  # the feed and the queue
        assert all(mapping["functionResponseTypes"] == ["ReportBatchItemFailures"] for mapping in mappings)
        queues = {queue["name"]: queue for queue in resources.of("aws:sqs/queue:Queue")}
        assert set(queues) == {"orders-dev-payments", "orders-dev-payments-poison"}
        assert json.loads(queues["orders-dev-payments"]["redrivePolicy"])["maxReceiveCount"] == 17
        bus = resources.one("aws:cloudwatch/eventBus:EventBus")
        assert bus["name"] == "orders-dev" and life["outputs"]["events_url"] == "eventbridge://eu-central-1/orders-dev"
        alarm = resources.one("aws:cloudwatch/metricAlarm:MetricAlarm")
        assert alarm["dimensions"] == {"QueueName": "orders-dev-payments-poison"}
    else:
        containers = {c["containerName"] for c in resources.of("azure-native:cosmosdb:SqlResourceSqlContainer")}
        assert containers == {"events", "documents", "leases"}
        topic = resources.one("azure-native:eventgrid:Topic")
        assert topic["inputSchema"] == "CloudEventSchemaV1_0" and topic["disableLocalAuth"] is True
        assert life["outputs"]["events_url"].startswith("eventgrid://orders-dev-")
        queues = {queue["queueName"] for queue in resources.of("azure-native:storage:Queue")}
        assert queues == {"orders-payments", "orders-payments-poison"}
        alarm = resources.one("azure-native:monitor:ScheduledQueryRule")
        assert '"/orders-payments-poison/messages"' in alarm["criteria"]["allOf"][0]["query"]
        logged = {one["resourceUri"]: one for one in resources.of("azure-native:monitor:DiagnosticSetting")}
        [queues] = [one for uri, one in logged.items() if uri.endswith("/queueServices/default")]
        apps = {f"/azure-native:web:WebApp/orders-dev-{unit.role}" for unit in SERVICE.units}
        assert set(logged) == apps | {queues["resourceUri"]}
        assert all(logged[app]["logs"] == [{"category": "FunctionAppLogs", "enabled": True}] for app in apps)


def test_on_azure_a_changed_setting_is_asked_for_and_uploads_nothing(life, cloud):
    if cloud == "aws":
        return
    before, after = (life[stage].named("pulumi-python:dynamic:Resource") for stage in ("resources", "after"))
    assert {name for name in before if before[name] != after[name]} == {"orders-dev-health"}


@pytest.mark.deep  # tests/copies/test_plain_app.py has it as a user does
def test_a_plain_app_gets_no_store(tmp_path, cloud, monkeypatch):
    plain = ServiceManifest("plain", app="main:app")
    monkeypatch.setattr("stacks.program.SERVICE", plain)
    engine = started(tmp_path, cloud, settings="{}")
    engine.up()
    kinds = {token for token, _ in engine.standin.resources.values()}
    engine.close()
    assert not [kind for kind in kinds if kind.startswith((*DATA, "aws:scheduler/", "aws:lambda/eventSourceMapping"))]
    assert {"aws:lambda/function:Function", "azure-native:web:WebApp"} & kinds


def test_names_and_types_are_frozen(resources, cloud):
    assert listed(resources) == golden(cloud)
