"""Alarms, a dashboard and saved queries, from the manifest: by the names that the other cloud has them under."""

from collections.abc import Mapping, Sequence

import pulumi
from pulumi_aws import cloudwatch, lambda_

from twofold.deploy.alarms import LEAST_REQUESTS, Alarm, alarms
from twofold.deploy.aws.dashboard import Dashboard
from twofold.deploy.aws.data import Data
from twofold.deploy.aws.messaging import Messaging
from twofold.deploy.aws.notifications import Notifications
from twofold.deploy.config import StackConfig
from twofold.manifest import ServiceManifest
from twofold.portable.message_queue import dead_letter_name

OWN = "Twofold"
"""The namespace of what the service measures itself (`twofold/aws/metrics.py`); the others are AWS's, and free."""

URL_METRICS = {"5xx": "Url5xxCount", "Count": "UrlRequestCount", "Latency": "UrlRequestLatency"}
"""A function URL's names for an HTTP API's metrics."""

type Query = cloudwatch.MetricAlarmMetricQueryArgs


class Monitoring(pulumi.ComponentResource):
    """A CloudWatch alarm for each queue's dead letters always; all others where somebody is told (`Notifications.wanted`).

    An alarm costs by the month, also while it is silent; those on dead letters are the ones that nobody should be without.
    `dashboard_url` is the stack's dashboard.
    """

    def __init__(
        self, name: str, *, manifest: ServiceManifest, config: StackConfig, data: Data, messaging: Messaging,
        functions: Mapping[str, lambda_.Function], logs: Sequence[pulumi.Input[str]], api: pulumi.Input[str] | None,
        notifications: Notifications, opts: pulumi.ResourceOptions | None = None,
    ) -> None:  # fmt: skip
        super().__init__("twofold:aws:Monitoring", name, None, opts)
        self._name, self._manifest, self._environment = name, manifest, config.environment
        self._data, self._messaging, self._functions, self._api = data, messaging, functions, api
        self._actions = notifications.actions
        for alarm in alarms(manifest):
            if alarm.kind == "dead-letters":
                self._dead_letters(alarm)
            elif notifications.wanted:
                self._alarm(alarm)
        dashboard = Dashboard(
            name, manifest=manifest, environment=config.environment, region=config.region, api=api, functions=functions, data=data,
            messaging=messaging, logs=logs, opts=pulumi.ResourceOptions(parent=self),
        )  # fmt: skip
        self.dashboard_url = dashboard.url
        self.register_outputs({"dashboard_url": self.dashboard_url})

    def _dead_letters(self, alarm: Alarm) -> None:
        dead_name = f"{self._name}-{dead_letter_name(alarm.subject)}"
        cloudwatch.MetricAlarm(
            dead_name, name=dead_name, alarm_description=alarm.text,
            namespace="AWS/SQS", metric_name="ApproximateNumberOfMessagesVisible",
            dimensions={"QueueName": self._messaging.dead[alarm.subject].name},
            statistic="Maximum", period=60 * alarm.minutes, evaluation_periods=1, threshold=alarm.threshold,
            comparison_operator="GreaterThanThreshold", treat_missing_data="notBreaching",
            alarm_actions=self._actions, ok_actions=self._actions, opts=pulumi.ResourceOptions(parent=self),
        )  # fmt: skip

    def _alarm(self, alarm: Alarm) -> None:
        name = f"{self._name}-{alarm.name}"
        cloudwatch.MetricAlarm(
            name, name=name, alarm_description=alarm.text, metric_queries=self._queries(alarm), evaluation_periods=1,
            threshold=alarm.threshold, comparison_operator="GreaterThanThreshold", treat_missing_data="notBreaching",
            alarm_actions=self._actions, ok_actions=self._actions, opts=pulumi.ResourceOptions(parent=self),
        )  # fmt: skip

    def _queries(self, alarm: Alarm) -> list[Query]:
        """What is measured, in the threshold's unit: the last query is the one that counts."""
        minutes = alarm.minutes
        match alarm.kind:
            case "error-ratio":
                failed = self._requests("m1", "5xx", minutes, "Sum")
                ratio = _result(f"IF(m2 >= {LEAST_REQUESTS}, m1 / m2, 0)")
                return [failed, self._requests("m2", "Count", minutes, "Sum"), ratio]
            case "latency-p95" | "latency-p99":
                share = alarm.kind.removeprefix("latency-")
                return [self._requests("m1", "Latency", minutes, share), _result("m1 / 1000")]
            case "throttles":
                tables = [
                    (table.name, metric)
                    for table in self._data.tables.values()
                    for metric in ("ReadThrottleEvents", "WriteThrottleEvents")
                ]
                metrics = [
                    _metric(f"m{n}", "AWS/DynamoDB", metric, {"TableName": table}, minutes, "Sum")
                    for n, (table, metric) in enumerate(tables)
                ]
                return [*metrics, _result("SUM(METRICS())")]
            case "dependencies":
                metrics = [
                    self._own(f"m{n}", "twofold.breaker.open", {"unit": role}, minutes, "Maximum")
                    for n, role in enumerate(self._functions)
                ]
                return [*metrics, _result("MAX(METRICS())")]
            case "queue-age":
                queue = {"QueueName": self._messaging.queues[alarm.subject].name}
                return [
                    _metric("m1", "AWS/SQS", "ApproximateAgeOfOldestMessage", queue, minutes, "Maximum", counts=True)
                ]
            case "lag":
                feed = {"FunctionName": self._functions["feed"].name}
                # Handled late, or not at all: then only the stream's own age tells.
                return [
                    self._own("m1", "twofold.consumer.lag", {"unit": "feed", "consumer": alarm.subject}, minutes, "Maximum"),
                    _metric("m2", "AWS/Lambda", "IteratorAge", feed, minutes, "Maximum"),
                    _result("MAX([FILL(m1, 0), FILL(m2, 0) / 1000])"),
                ]  # fmt: skip
            case "parked":
                consumer = {"unit": "feed", "consumer": alarm.subject}
                return [self._own("m1", "twofold.parked", consumer, minutes, "Sum", counts=True)]
            case _:
                raise AssertionError(alarm.kind)

    def _requests(self, api_id: str, metric: str, minutes: int, statistic: str) -> Query:
        """A metric of the requests: the HTTP API's, or the function URL's where there is no gateway."""
        if self._api is not None:
            return _metric(api_id, "AWS/ApiGateway", metric, {"ApiId": self._api}, minutes, statistic)
        function = {"FunctionName": self._functions["http"].name}
        return _metric(api_id, "AWS/Lambda", URL_METRICS[metric], function, minutes, statistic)

    def _own(
        self,
        metric_id: str,
        metric: str,
        dimensions: Mapping[str, str],
        minutes: int,
        statistic: str,
        *,
        counts: bool = False,
    ) -> Query:
        service = {"service": self._manifest.name, "environment": self._environment}
        return _metric(metric_id, OWN, metric, {**service, **dimensions}, minutes, statistic, counts=counts)


def _metric(
    metric_id: str, namespace: str, metric: str, dimensions: Mapping[str, pulumi.Input[str]], minutes: int, statistic: str,
    *, counts: bool = False,
) -> Query:  # fmt: skip
    return cloudwatch.MetricAlarmMetricQueryArgs(
        id=metric_id,
        return_data=counts,
        metric=cloudwatch.MetricAlarmMetricQueryMetricArgs(
            namespace=namespace, metric_name=metric, dimensions=dimensions, period=60 * minutes, stat=statistic
        ),
    )


def _result(expression: str) -> Query:
    return cloudwatch.MetricAlarmMetricQueryArgs(id="e1", expression=expression, label="measured", return_data=True)
