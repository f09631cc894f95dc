"""Where traces go: nowhere unless asked; X-Ray and Application Insights by the units' own identities; any collector by its URL."""

import json

import pytest

from api.manifest import SERVICE
from tests.stacks.captured import Captured

UNITS = len(SERVICE.units)


def variables(stack, cloud):
    if cloud == "aws":
        return [one["environment"]["variables"] for one in stack.of("aws:lambda/function:Function")]
    apps = stack.of("azure-native:web:WebApp")
    return [{pair["name"]: pair["value"] for pair in app["siteConfig"]["appSettings"]} for app in apps]


@pytest.mark.parametrize("cloud", ["aws", "azure"])
def test_managed(cloud, tmp_path):
    stack = Captured(tmp_path, cloud, telemetry="managed", traceRatio="0.25")
    units = variables(stack, cloud)
    assert {unit["TWOFOLD_TRACE_RATIO"] for unit in units} == {"0.25"} and len(units) == UNITS
    assert {unit["TWOFOLD_TELEMETRY_URL"] for unit in units} == {
        {"aws": "xray://eu-central-1", "azure": "azuremonitor:"}[cloud]
    }
    if cloud == "aws":
        policies = [json.loads(one["policy"]) for one in stack.of("aws:iam/rolePolicy:RolePolicy")]
        assert sum("xray:PutSpans" in str(policy) for policy in policies) == UNITS
    else:
        component = stack.one("azure-native:applicationinsights:Component")
        assert component["workspaceResourceId"].endswith("/orders-dev")
        assert {unit["APPLICATIONINSIGHTS_CONNECTION_STRING"].split("=")[0] for unit in units} == {"InstrumentationKey"}


@pytest.mark.parametrize("cloud", ["aws", "azure"])
def test_to_a_collector(cloud, tmp_path):
    stack = Captured(tmp_path, cloud, telemetry="otlp+https://otel.example")
    assert {unit["TWOFOLD_TELEMETRY_URL"] for unit in variables(stack, cloud)} == {"otlp+https://otel.example"}
    assert "xray:" not in json.dumps([inputs for _, inputs in stack.resources.values()])
    assert stack.of("azure-native:applicationinsights:Component") == []
