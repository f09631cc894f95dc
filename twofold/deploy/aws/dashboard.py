"""The dashboard of a stack and its saved queries: what somebody opens first who was told."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi_aws import cloudwatch, lambda_

from twofold.deploy.alarms import consumers
from twofold.deploy.aws.data import Data
from twofold.deploy.aws.messaging import Messaging
from twofold.deploy.queries import QUERIES
from twofold.manifest import ServiceManifest

WIDTH, HEIGHT = 8, 6


class Dashboard(pulumi.ComponentResource):
    """A CloudWatch dashboard `<prefix>`, and a Logs Insights query for each of `QUERIES`. `url` is the dashboard's."""

    def __init__(
        self, name: str, *, manifest: ServiceManifest, environment: str, region: str, api: pulumi.Input[str] | None,
        functions: Mapping[str, lambda_.Function], data: Data, messaging: Messaging,
        logs: Sequence[pulumi.Input[str]], opts: pulumi.ResourceOptions | None = None,
    ) -> None:  # fmt: skip
        super().__init__("twofold:aws:Dashboard", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        names = {
            "api": api, "http": functions["http"].name,
            "functions": {role: function.name for role, function in functions.items()},
            "tables": [table.name for table in data.tables.values()],
            "queues": {queue: (messaging.queues[queue].name, dead.name) for queue, dead in messaging.dead.items()},
        }  # fmt: skip
        own = ["Twofold", "service", manifest.name, "environment", environment]
        readers = consumers(manifest)
        body = pulumi.Output.all(names).apply(lambda known: _body(known[0], own, readers, region))
        dashboard = cloudwatch.Dashboard(name, dashboard_name=name, dashboard_body=body, opts=child)
        for query in QUERIES:
            cloudwatch.QueryDefinition(
                f"{name}-{query.name}", name=f"{name}/{query.name}", log_group_names=list(logs),
                query_string=query.insights, opts=child,
            )  # fmt: skip
        console = f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#dashboards/dashboard/"
        self.url = pulumi.Output.concat(console, dashboard.dashboard_name)
        self.register_outputs({"url": self.url})


def _body(names: Any, own: list[str], readers: Sequence[str], region: str) -> str:
    requests = (
        ["AWS/ApiGateway", "ApiId", names["api"]] if names["api"] else ["AWS/Lambda", "FunctionName", names["http"]]
    )
    count, failed, latency = (
        ("Count", "5xx", "Latency") if names["api"] else ("UrlRequestCount", "Url5xxCount", "UrlRequestLatency")
    )

    def series(metric: str, *, of: Sequence[str], **shown: Any) -> list[Any]:
        return [of[0], metric, *of[1:], shown]

    functions, queues = names["functions"].items(), names["queues"].items()

    def of_functions(metric: str) -> list[list[Any]]:
        return [["AWS/Lambda", metric, "FunctionName", name, {"label": role}] for role, name in functions]

    def of_queues(metric: str, twin: int = 0) -> list[list[Any]]:
        return [["AWS/SQS", metric, "QueueName", pair[twin], {"label": queue}] for queue, pair in queues]

    def of_consumers(metric: str) -> list[list[Any]]:
        return [series(metric, of=[*own, "unit", "feed", "consumer", one], label=one) for one in readers]

    throttles = [
        ["AWS/DynamoDB", f"{kind}ThrottleEvents", "TableName", table, {"label": f"{table} {kind}"}]
        for table in names["tables"]
        for kind in ("Read", "Write")
    ]
    shares = [series(latency, of=requests, stat=stat, label=stat) for stat in ("p50", "p95", "p99")]
    starts = [series("twofold.start.duration", of=[*own, "unit", role], label=role) for role, _ in functions]
    charts = [
        ("Requests", "Sum", [series(count, of=requests), series(failed, of=requests, label="failed (5xx)")]),
        ("Latency, ms", "p95", shares),
        ("Errors of functions", "Sum", of_functions("Errors")),
        ("Throttled invocations", "Sum", of_functions("Throttles")),
        ("Concurrent executions", "Maximum", of_functions("ConcurrentExecutions")),
        ("Starts, s", "Average", starts),
        ("Messages that wait", "Maximum", of_queues("ApproximateNumberOfMessagesVisible")),
        ("Age of the oldest message, s", "Maximum", of_queues("ApproximateAgeOfOldestMessage")),
        ("Dead letters", "Maximum", of_queues("ApproximateNumberOfMessagesVisible", twin=1)),
        ("Lag of consumers, s", "Maximum", of_consumers("twofold.consumer.lag")),
        ("Streams parked", "Sum", of_consumers("twofold.parked")),
        ("Store throttles", "Sum", throttles),
    ]
    widgets = [
        {
            "type": "metric", "x": WIDTH * (n % 3), "y": HEIGHT * (n // 3), "width": WIDTH, "height": HEIGHT,
            "properties": {"title": title, "region": region, "stat": stat, "period": 300, "metrics": metrics},
        }
        for n, (title, stat, metrics) in enumerate([chart for chart in charts if chart[2]])
    ]  # fmt: skip
    return json.dumps({"widgets": widgets})
