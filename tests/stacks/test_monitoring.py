"""Alarms, dashboards, saved queries, who is told: the same on both clouds, name by name, and all of the manifest's."""

import json
from dataclasses import replace

import pytest

from api.manifest import SERVICE
from tests.emulators.tool import needing
from tools import kusto
from twofold.deploy.alarms import RUNBOOK, alarms, consumers
from twofold.deploy.queries import QUERIES
from twofold.manifest import QueueSpec
from twofold.portable.message_queue import dead_letter_name

RECEIVERS = {"alertEmail": "ops@shop.example", "alertWebhook": "https://chat.example/hook"}
ALARM = {"aws": "aws:cloudwatch/metricAlarm:MetricAlarm", "azure": "azure-native:monitor:ScheduledQueryRule"}


@pytest.fixture(scope="module")
def stacks(captured):
    """Both stacks, with somebody to tell."""
    return {cloud: captured(cloud, **RECEIVERS) for cloud in ("azure", "aws")}


@pytest.fixture(scope="module")
def silent(captured):
    """Both stacks as they are by default."""
    return {cloud: captured(cloud) for cloud in ("azure", "aws")}


def alarms_of(stack):
    """The alarms of a stack by the name that the manifest gives them: {name: inputs}."""
    twins = {f"orders-dev-{dead_letter_name(spec.name)}": f"dead-letters-{spec.name}" for spec in SERVICE.queues}
    named = {}
    for one in stack.of(ALARM[stack.cloud]):
        name = one.get("name") or one["ruleName"]
        named[twins.get(name, name.removeprefix("orders-dev-"))] = one
    return named


def description(alarm):
    return alarm.get("alarmDescription") or alarm["description"]


def test_both_have_every_alarm_by_the_same_names(stacks):
    expected = {alarm.name for alarm in alarms(SERVICE)}
    assert set(alarms_of(stacks["aws"])) == set(alarms_of(stacks["azure"])) == expected
    assert {f"{kind}-{name}" for kind in ("lag", "parked") for name in consumers(SERVICE)} < expected


def test_a_queue_without_alarms_would_be_noticed(stacks):
    more = replace(SERVICE, queues=(*SERVICE.queues, QueueSpec("emails", handler="api.orders.payment:pay")))
    missing = {alarm.name for alarm in alarms(more)} - set(alarms_of(stacks["azure"]))
    assert missing == {"dead-letters-emails", "queue-age-emails"}


def test_each_leads_to_its_section_and_to_somebody(stacks, cloud):
    for name, alarm in alarms_of(stacks[cloud]).items():
        [expected] = [one for one in alarms(SERVICE) if one.name == name]
        assert description(alarm) == expected.text and f"{RUNBOOK}#{expected.kind}" in expected.text
        actions = alarm["alarmActions"] if cloud == "aws" else alarm["actions"]["actionGroups"]
        assert len(actions) == 1, name


def test_thresholds_are_the_same(stacks, cloud):
    for name, alarm in alarms_of(stacks[cloud]).items():
        [expected] = [one for one in alarms(SERVICE) if one.name == name]
        if cloud == "aws":
            assert (alarm["threshold"], alarm["comparisonOperator"]) == (expected.threshold, "GreaterThanThreshold")
            assert alarm["treatMissingData"] == "notBreaching"
        else:
            [condition] = alarm["criteria"]["allOf"]
            assert (condition["threshold"], condition["operator"]) == (expected.threshold, "GreaterThan")
            assert condition["metricMeasureColumn"] == "measured" and "measured=" in condition["query"]
            assert alarm["severity"] == (1 if expected.urgent else 2)


def test_where_nobody_is_told_only_dead_letters_are_watched(silent, cloud):
    """An alarm costs while it is silent."""
    assert set(alarms_of(silent[cloud])) == {f"dead-letters-{spec.name}" for spec in SERVICE.queues}


def test_what_is_measured_exists(stacks):
    """Of a metric alarm the last query counts, and each that it names is there."""
    for name, alarm in alarms_of(stacks["aws"]).items():
        queries = alarm.get("metricQueries")
        if queries is None:
            assert name.startswith("dead-letters")
            continue
        counting = [query for query in queries if query["returnData"]]
        assert len(counting) == 1 and counting[0] == queries[-1]
        ids = [query["id"] for query in queries]
        assert len(ids) == len(set(ids))
        expression = counting[0].get("expression")
        if expression is not None and "METRICS()" not in expression:
            assert all(metric_id in expression for metric_id in ids[:-1]), name
        periods = {query["metric"]["period"] for query in queries if "metric" in query}
        assert len(periods) == 1


def test_own_metrics_have_the_dimensions_that_the_service_writes(stacks):
    from twofold.aws.metrics import NAMESPACE, SPLIT
    from twofold.portable.metrics import MEASURES

    split = {measure.name for measure in SPLIT}
    seen = set()
    for alarm in alarms_of(stacks["aws"]).values():
        for query in alarm.get("metricQueries") or ():
            metric = query.get("metric", {})
            if metric.get("namespace") == NAMESPACE:
                seen.add(metric["metricName"])
                expected = {"service", "environment", "unit"} | (
                    {"consumer"} if metric["metricName"] in split else set()
                )
                assert set(metric["dimensions"]) == expected
    assert seen <= {measure.name for measure in MEASURES} and len(seen) == 3


def test_there_is_a_dashboard_and_its_address(silent, cloud):
    url = silent[cloud].outputs["dashboard_url"]
    if cloud == "aws":
        body = json.loads(silent[cloud].one("aws:cloudwatch/dashboard:Dashboard")["dashboardBody"])
        titles = [widget["properties"]["title"] for widget in body["widgets"]]
        assert all(widget["properties"]["metrics"] for widget in body["widgets"])
        assert url.endswith("#dashboards/dashboard/orders-dev")
    else:
        workbook = silent[cloud].one("azure-native:applicationinsights:Workbook")
        titles = [item["content"]["title"] for item in json.loads(workbook["serializedData"])["items"]]
        assert url.startswith("https://portal.azure.com/#resource/") and url.endswith("/workbook")
    for wanted in ("Requests", "Lag of consumers", "Streams parked", "Dead letters", "Store throttles"):
        assert any(title.startswith(wanted) for title in titles), wanted


def test_both_have_the_same_saved_queries(silent):
    insights = silent["aws"].of("aws:cloudwatch/queryDefinition:QueryDefinition")
    searches = silent["azure"].of("azure-native:operationalinsights:SavedSearch")
    names = {query.name for query in QUERIES}
    assert {one["name"].split("/")[1] for one in insights} == {one["displayName"] for one in searches} == names
    groups = {group for one in insights for group in one["logGroupNames"]}
    assert len(groups) == len(SERVICE.units)


def test_a_webhook_may_be_called_and_nothing_else(stacks):
    [policy] = [
        json.loads(one["policy"])
        for one in stacks["aws"].of("aws:iam/rolePolicy:RolePolicy")
        if one["name"] == "webhook"
    ]
    [statement] = policy["Statement"]
    assert statement["Action"] == ["events:InvokeApiDestination"] and len(statement["Resource"]) == 1
    [group] = stacks["azure"].of("azure-native:monitor:ActionGroup")
    assert [one["emailAddress"] for one in group["emailReceivers"]] == [RECEIVERS["alertEmail"]]
    assert [one["serviceUri"] for one in group["webhookReceivers"]] == [RECEIVERS["alertWebhook"]]


TABLES = {
    "FunctionAppLogs": "TimeGenerated: datetime, Message: string, Level: string",
    "StorageQueueLogs": "TimeGenerated: datetime, AccountName: string, OperationName: string, StatusText: string, Uri: string",
}


def test_kustos_own_parser_takes_every_question(stacks):
    needing(kusto.fetch)
    stack = stacks["azure"]
    asked = {name: one["criteria"]["allOf"][0]["query"] for name, one in alarms_of(stack).items()}
    asked |= {
        f"saved {one['displayName']}": one["query"] for one in stack.of("azure-native:operationalinsights:SavedSearch")
    }
    items = json.loads(stack.one("azure-native:applicationinsights:Workbook")["serializedData"])["items"]
    asked |= {f"chart {item['name']}": item["content"]["query"] for item in items}
    assert len(asked) > 20
    problems = kusto.check(TABLES, asked)
    assert {name: text for name, text in problems.items() if text} == {}
    worse = {
        name: text.replace("parse_json", "parse_jsn").replace("OperationName", "Operation")
        for name, text in asked.items()
    }
    assert all(kusto.check(TABLES, worse).values())
