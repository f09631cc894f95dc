"""What stands before and beside the service by choice: static files, a name of its own, a budget, a workspace that exists."""

import datetime
import json
import re

import pytest

from tests.stacks.stack import ROOT, config, golden, listed, program_in, started
from twofold.deploy.azure.edge import STORAGE_QUERY
from twofold.deploy.static import FIVE_MINUTES, FOREVER, SECURITY_HEADERS

SHARED = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups"
ZONES = {
    "aws": "Z0123456789ABC",
    # In another subscription and group than the stack.
    "azure": f"{SHARED}/dns/providers/Microsoft.Network/dnsZones/example.com",
}
WORKSPACE = f"{SHARED}/logs/providers/Microsoft.OperationalInsights/workspaces/company"
NAME, OFFICE = "orders.example.com", "ops@example.com"
FILES = {"index.html": FIVE_MINUTES, "app.3f9a1c2b.js": FOREVER, "img/a.svg": FIVE_MINUTES}


@pytest.fixture(scope="module")
def life(tmp_path_factory, cloud):
    """A stack that has none of it, gets all, gets other files, (on AWS) keeps its name without the edge, and has none again."""
    folder = tmp_path_factory.mktemp(cloud)
    root = folder / "root"
    (root / "site" / "img").mkdir(parents=True)
    (root / "openapi.json").symlink_to(ROOT / "openapi.json")
    for name in FILES:
        (root / "site" / name).write_text(name)
    engine = started(folder, cloud, program_in(root, cloud))
    engine.up()
    record = {"without": engine.resources()}
    rest = {"domain": NAME, "dnsZone": ZONES[cloud], "budget": "100", "alertEmail": OFFICE}
    if cloud == "azure":
        rest["logWorkspace"] = WORKSPACE
    engine.configure(config(cloud, edge="waf", static="site", **rest))
    record["up"], record["resources"], record["outputs"] = engine.up(), engine.resources(), engine.outputs
    record["deleted"] = set(engine.standin.deleted)
    (root / "site" / "index.html").write_text("new")
    (root / "site" / "img" / "a.svg").unlink()
    record["changed"], record["after"] = engine.up(), engine.resources()
    if cloud == "aws":
        engine.configure(config(cloud, **rest))
        engine.up()
        record["named"] = engine.resources(), engine.outputs
    engine.configure(config(cloud))
    engine.up()
    record["left"] = engine.resources()
    engine.close()
    return record


def test_nothing_of_it_without_the_keys(life):
    new = set(life["resources"]) - set(life["without"])
    assert new and set(life["left"]) == set(life["without"]) and not life["deleted"] - {
        # Its logs and saved queries go to the workspace that exists, and the alerts ask another one.
        urn for urn in life["without"] if "operationalinsights:" in urn or "ScheduledQueryRule" in urn
    }  # fmt: skip


def words(urn):
    return set(urn.split("::")[2].replace("$", ":").split(":"))


def test_names_and_types_are_frozen(life, cloud):
    # Who is told of the budget is told of alarms too: those are tests/stacks/test_monitoring.py's.
    new = {
        urn for urn in set(life["resources"]) - set(life["without"]) if not {"Monitoring", "Notifications"} & words(urn)
    }
    assert listed(new) == golden(f"{cloud}-edge")


def test_the_service_has_its_name(life):
    outputs = life["outputs"]
    assert outputs["url"] == f"https://{NAME}"
    assert (outputs["health_url"], outputs["docs_url"]) == (f"https://{NAME}/health/ready", f"https://{NAME}/docs")


def served(life, resources, cloud):
    """Each file's headers by its path on the edge."""
    if cloud == "aws":
        objects = life[resources].of("aws:s3/bucketObjectv2:BucketObjectv2")
        return {f"/{one['key']}": (one["contentType"], one["cacheControl"]) for one in objects}
    [blobs] = [inputs for _, inputs in life[resources].values() if "files" in inputs]
    return {f"/{blobs['container']}/{name}": (file["type"], file["cache"]) for name, file in blobs["files"].items()}


def test_files_are_stored_under_the_path_that_they_are_served_at(life, cloud):
    files = served(life, "resources", cloud)
    assert {path: cache for path, (_, cache) in files.items()} == {
        f"/static/{name}": kept for name, kept in FILES.items()
    }
    assert files["/static/app.3f9a1c2b.js"][0] == "text/javascript; charset=utf-8"
    assert set(served(life, "after", cloud)) == set(files) - {"/static/img/a.svg"}
    touched = {kind: life["changed"].get(kind, 0) for kind in ("create", "update", "delete")}
    assert (
        touched
        == {"aws": {"create": 0, "update": 1, "delete": 1}, "azure": {"create": 0, "update": 1, "delete": 0}}[cloud]
    )


def test_the_edge_alone_reads_them(resources, cloud):
    if cloud == "aws":
        block = resources.one("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock")
        assert {key for key, on in block.items() if on is True} == {
            "blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets",
        }  # fmt: skip
        *allowed, denied = json.loads(resources.one("aws:s3/bucketPolicy:BucketPolicy")["policy"])["Statement"]
        assert {statement["Action"] for statement in allowed} == {"s3:GetObject", "s3:ListBucket"}
        for statement in allowed:
            assert statement["Principal"] == {"Service": "cloudfront.amazonaws.com"}
            [arn] = statement["Condition"]["StringEquals"].values()
            assert arn.startswith("arn:aws:cloudfront:") and arn.endswith("orders-dev-edge")
        assert denied["Effect"] == "Deny" and denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        _, origin = resources.one("aws:cloudfront/distribution:Distribution")["origins"]
        assert origin["originAccessControlId"].endswith("/orders-dev-static") and "customHeaders" not in origin
        access = resources.one("aws:cloudfront/originAccessControl:OriginAccessControl")
        assert (access["signingBehavior"], access["signingProtocol"]) == ("always", "sigv4")
        return
    [account] = [a for a in resources.of("azure-native:storage:StorageAccount") if "static" in a["accountName"]]
    assert account["allowSharedKeyAccess"] is False and account["allowBlobPublicAccess"] is False
    held = {
        (a["principalId"], a["roleDefinitionId"].rsplit("/", 1)[1]): a["scope"]
        for a in resources.of("azure-native:authorization:RoleAssignment")
        if a["scope"].endswith("orders-dev-static")
    }
    container = "/azure-native:storage:BlobContainer/orders-dev-static"
    assert held == {
        ("principal-orders-dev-static", "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"): container,
        ("o", "ba92f5b4-2d11-453d-a403-e96b0029c9fe"): container,
    }
    identity = "/azure-native:managedidentity:UserAssignedIdentity/orders-dev-static"
    assert resources.one("azure-native:cdn:Profile")["identity"]["userAssignedIdentities"] == [identity]
    groups = {group["originGroupName"]: group for group in resources.of("azure-native:cdn:AFDOriginGroup")}
    assert "authentication" not in groups["gateway"]  # it would overwrite the caller's own token
    assert groups["static"]["authentication"] == {
        "type": "UserAssignedIdentity", "scope": "https://storage.azure.com/.default", "userAssignedIdentity": {"id": identity},
    }  # fmt: skip
    assert groups["static"]["healthProbeSettings"]["probeProtocol"] == "Https"  # else it is refused


def test_the_edge_compresses_caches_and_adds_the_services_headers(resources, cloud):
    if cloud == "aws":
        [behavior] = resources.one("aws:cloudfront/distribution:Distribution")["orderedCacheBehaviors"]
        assert (behavior["pathPattern"], behavior["viewerProtocolPolicy"]) == ("/static/*", "https-only")
        assert behavior["compress"] is True and behavior["cachePolicyId"] == "658327ea-f89d-4fab-a63d-7e88639e58f6"
        policy = resources.one("aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy")
        known = policy["securityHeadersConfig"]
        headers = {item["header"]: item["value"] for item in policy["customHeadersConfig"]["items"]} | {
            "x-content-type-options": "nosniff" if known["contentTypeOptions"]["override"] else "",
            "x-frame-options": known["frameOptions"]["frameOption"],
            "referrer-policy": known["referrerPolicy"]["referrerPolicy"],
            "strict-transport-security": f"max-age={known['strictTransportSecurity']['accessControlMaxAgeSec']:.0f}",
            "content-security-policy": known["contentSecurityPolicy"]["contentSecurityPolicy"],
        }
    else:
        routes = {route["routeName"]: route for route in resources.of("azure-native:cdn:Route")}
        route = routes["static"]
        assert (route["patternsToMatch"], route["supportedProtocols"]) == (["/static/*"], ["Https"])
        assert route["forwardingProtocol"] == "HttpsOnly" and "cacheConfiguration" not in routes["all"]
        assert route["cacheConfiguration"]["compressionSettings"]["isCompressionEnabled"] is True
        assert route["cacheConfiguration"]["queryStringCachingBehavior"] == "UseQueryString"
        rules = resources.of("azure-native:cdn:Rule")
        assert sorted(rule["order"] for rule in rules) == [0, 1] and all(len(rule["actions"]) <= 5 for rule in rules)
        actions = [action for rule in rules for action in rule["actions"]]
        assert all(action["parameters"]["headerAction"] == "Overwrite" for action in actions)
        sent = {a["name"]: a["parameters"] for a in actions if a["name"] == "ModifyRequestHeader"}
        assert sent["ModifyRequestHeader"]["headerName"] == "x-ms-version"  # else Storage refuses the identity's token
        headers = {
            a["parameters"]["headerName"]: a["parameters"]["value"]
            for a in actions
            if a["name"] == "ModifyResponseHeader"
        }
    assert headers == SECURITY_HEADERS


@pytest.mark.parametrize(
    ("uri", "refused"),
    [
        ("https://x:443/static/app.js", False), ("https://x:443/static/app.js?v=3", False),
        ("https://x:443/static/app.js?incomp=1", False), ("https://x:443/orders?comp=list", False),
        ("https://x:443/static/?restype=container&comp=list", True), ("https://x:443/static?comp=list", True),
        ("https://x:443/static/app.js?v=3&comp=metadata", True), ("https://x:443/static/app.js?snapshot=2026", True),
    ],
)  # fmt: skip
def test_a_query_asks_storage_for_files_alone(uri, refused):
    """The firewall's expression on what it matches: the URI in lower case and decoded. On AWS no query goes on."""
    assert bool(re.search(STORAGE_QUERY, uri)) == refused


def test_the_firewall_knows_bots_where_that_is_in_its_price(resources, cloud):
    if cloud == "aws":
        groups = {
            group["name"]: group
            for rule in resources.one("aws:wafv2/webAcl:WebAcl")["rules"]
            if (group := rule["statement"].get("managedRuleGroupStatement"))
        }
        assert set(groups) == {
            "AWSManagedRulesAmazonIpReputationList", "AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet",
        }  # fmt: skip
        overridden = {
            name: group["ruleActionOverrides"] for name, group in groups.items() if "ruleActionOverrides" in group
        }
        assert {one["name"]: one["actionToUse"] for one in overridden.pop("AWSManagedRulesCommonRuleSet")} == {
            name: {"count": {}}
            for name in (
                "NoUserAgent_HEADER", "SizeRestrictions_BODY", "SizeRestrictions_QUERYSTRING", "SizeRestrictions_URIPATH",
            )
        }  # fmt: skip
        assert overridden == {}
        return
    sets = resources.one("azure-native:frontdoor:Policy")["managedRules"]["managedRuleSets"]
    assert {one["ruleSetType"] for one in sets} == {"Microsoft_DefaultRuleSet", "Microsoft_BotManagerRuleSet"}


def test_the_firewall_stands_before_the_name_and_the_files(resources, cloud):
    if cloud == "aws":  # one distribution, one firewall
        assert resources.one("aws:cloudfront/distribution:Distribution")["webAclId"].endswith("orders-dev-edge")
        return
    [association] = resources.one("azure-native:cdn:SecurityPolicy")["parameters"]["associations"]
    assert [domain["id"].split("/")[1] for domain in association["domains"]] == [
        "azure-native:cdn:AFDEndpoint", "azure-native:cdn:AFDCustomDomain",
    ]  # fmt: skip
    assert association["patternsToMatch"] == ["/*"]
    rules = {rule["name"]: rule for rule in resources.one("azure-native:frontdoor:Policy")["customRules"]["rules"]}
    assert set(rules) == {"rate", "files"} and rules["files"]["action"] == "Block"


def test_the_name_is_proved_and_leads_to_the_edge(resources, cloud):
    if cloud == "aws":
        certificate = resources.one("aws:acm/certificate:Certificate")
        assert (certificate["region"], certificate["validationMethod"]) == ("us-east-1", "DNS")
        records = {(r["name"], r["type"]): r for r in resources.of("aws:route53/record:Record")}
        assert {r["zoneId"] for r in records.values()} == {ZONES["aws"]}
        assert records.pop((f"_proof.{NAME}.", "CNAME"))["records"] == ["_x.acm-validations.aws."]
        aliases = {kind: record["aliases"] for (_, kind), record in records.items()}
        target = [{"name": "d111111abcdef8.cloudfront.net", "zoneId": "Z2FDTNDATAQYW2", "evaluateTargetHealth": False}]
        assert aliases == {"A": target, "AAAA": target}
        distribution = resources.one("aws:cloudfront/distribution:Distribution")
        assert distribution["aliases"] == [NAME]
        assert distribution["viewerCertificate"]["minimumProtocolVersion"] == "TLSv1.2_2021"
        assert not resources.one("aws:apigatewayv2/api:Api").get("disableExecuteApiEndpoint")  # the edge calls it there
        return
    domain = resources.one("azure-native:cdn:AFDCustomDomain")
    assert domain["hostName"] == NAME and domain["tlsSettings"] == {
        "certificateType": "ManagedCertificate", "cipherSuiteSetType": "TLS12_2023", "minimumTlsVersion": "TLS12",
    }  # fmt: skip
    records = {r["recordType"]: r for r in resources.of("azure-native:dns:RecordSet")}
    assert {(r["resourceGroupName"], r["zoneName"]) for r in records.values()} == {("dns", "example.com")}
    assert records["TXT"]["relativeRecordSetName"] == "_dnsauth.orders"
    assert records["TXT"]["txtRecords"] == [{"value": ["the-proof"]}]
    assert records["CNAME"]["relativeRecordSetName"] == "orders"
    assert records["CNAME"]["cnameRecord"]["cname"].endswith(".azurefd.net")
    assert all(len(route["customDomains"]) == 1 for route in resources.of("azure-native:cdn:Route"))


@pytest.mark.parametrize("cloud", ["aws"], indirect=True)
def test_without_an_edge_the_name_leads_to_the_api_which_has_no_other(life):
    """On Azure a name needs the edge: config_rules."""
    named, outputs = life["named"]
    assert outputs["url"] == f"https://{NAME}"
    assert named.one("aws:apigatewayv2/api:Api")["disableExecuteApiEndpoint"] is True
    domain = named.one("aws:apigatewayv2/domainName:DomainName")
    assert domain["domainName"] == NAME and domain["domainNameConfiguration"]["securityPolicy"] == "TLS_1_2"
    mapping = named.one("aws:apigatewayv2/apiMapping:ApiMapping")
    assert (mapping["domainName"], mapping["stage"]) == (NAME, "$default")
    assert named.one("aws:acm/certificate:Certificate")["region"] == "eu-central-1"
    aliases = [r["aliases"] for r in named.of("aws:route53/record:Record") if r["type"] == "A"]
    assert [alias[0]["name"] for alias in aliases] == ["d-abc123.execute-api.eu-central-1.amazonaws.com"]


def test_a_budget_is_told_at_the_same_points_on_both(resources, cloud):
    if cloud == "aws":
        budget = resources.one("aws:budgets/budget:Budget")
        assert (budget["limitAmount"], budget["limitUnit"], budget["timeUnit"]) == ("100", "USD", "MONTHLY")
        counted = {one["tags"]["key"]: one["tags"]["values"] for one in budget["filterExpression"]["ands"]}
        assert counted == {"service": ["orders"], "environment": ["dev"]} and budget["metrics"] == "UnblendedCost"
        points = {(n["notificationType"].lower(), n["threshold"]) for n in budget["notifications"]}
        receivers = {address for n in budget["notifications"] for address in n["subscriberEmailAddresses"]}
    else:
        budget = resources.one("azure-native:consumption:Budget")
        assert (budget["amount"], budget["timeGrain"], budget["category"]) == (100, "Monthly", "Cost")
        assert budget["scope"].endswith("abcd/resourceGroups/orders-dev")
        assert re.fullmatch(r"\d{4}-\d\d-01T00:00:00Z", budget["timePeriod"]["startDate"])
        points = {(n["thresholdType"].lower(), n["threshold"]) for n in budget["notifications"].values()}
        receivers = {address for n in budget["notifications"].values() for address in n["contactEmails"]}
    assert points == {("actual", 80), ("actual", 100), ("forecasted", 100)} and receivers == {OFFICE}


def test_next_month_changes_no_budget(tmp_path, monkeypatch):
    engine = started(tmp_path, "azure", budget="100", alertEmail=OFFICE)
    engine.up()

    class NextYear(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return cls(2027, 12, 5, tzinfo=tz)

    monkeypatch.setattr("datetime.datetime", NextYear)
    assert set(engine.up()) == {"same"}
    monkeypatch.undo()
    engine.configure(config("azure", budget="200", alertEmail=OFFICE))
    changed = engine.up()
    assert changed.get("update") == 1 and set(changed) == {"update", "same"}
    engine.close()


@pytest.mark.parametrize("cloud", ["azure"], indirect=True)
def test_alarms_look_into_the_workspace_that_exists(resources):
    assert resources.of("azure-native:operationalinsights:Workspace") == []
    assert {each["workspaceId"] for each in resources.of("azure-native:monitor:DiagnosticSetting")} == {WORKSPACE}
    alarms = {each["ruleName"]: each for each in resources.of("azure-native:monitor:ScheduledQueryRule")}
    assert all(alarm["scopes"] == [WORKSPACE] for alarm in alarms.values())
    [dead] = alarms["orders-dev-payments-poison"]["criteria"]["allOf"]
    assert 'AccountName == "ordersdevqueues' in dead["query"]  # among other services' logs
