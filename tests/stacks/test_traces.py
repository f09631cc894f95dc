"""Where traces go: nowhere unless asked; X-Ray and Application Insights by the units' own identities; any collector by its URL."""

import json

from api.manifest import SERVICE
from tests.stacks.stack import UNIT, variables

UNITS = len(SERVICE.units)


def test_managed(captured, cloud):
    stack = captured(cloud, telemetry="managed", traceRatio="0.25")
    units = [variables(unit) for unit in stack.of(UNIT[cloud])]
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


def test_to_a_collector(captured, cloud):
    stack = captured(cloud, telemetry="otlp+https://otel.example")
    assert {unit["TWOFOLD_TELEMETRY_URL"] for unit in map(variables, stack.of(UNIT[cloud]))} == {
        "otlp+https://otel.example"
    }
    assert "xray:" not in json.dumps([inputs for _, inputs in stack.resources.values()])
    assert stack.of("azure-native:applicationinsights:Component") == []
