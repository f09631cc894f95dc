"""Each alarm as a question to the workspace: of the service's own log lines, and for dead letters of the queues' write log.

Of what doesn't run there are no lines: a feed or worker that stands still shows in its unit's errors, not in `lag` or `queue-age`.
"""

import pulumi
from pulumi_azure_native import monitor

from twofold.deploy.alarms import LEAST_REQUESTS, Alarm
from twofold.deploy.queries import field, lines
from twofold.manifest import ServiceManifest

URGENT_MINUTES, MINUTES = 5, 15
"""How often a question is asked: the price of a rule goes by it."""


def question(alarm: Alarm, manifest: ServiceManifest, environment: str, table: str) -> str:
    """A Kusto query whose one column `measured` is in the threshold's unit; no row where there is nothing to measure.

    `table` has the units' lines. Dead letters are the queues' account's: see `dead_letters`.
    """
    mine = f'{field("service.name")} == "{manifest.name}" and {field("service.environment")} == "{environment}"'
    if alarm.subject:
        label = "labels.queue" if alarm.kind == "queue-age" else "labels.consumer"
        mine += f' and {field(label)} == "{alarm.subject}"'

    def of(action: str) -> str:
        return f'{lines(table)} | where {mine} and {field("event.action")} == "{action}"'

    match alarm.kind:
        case "error-ratio":
            failed = f"countif({field('http.response.status_code', 'int')} >= 500)"
            return (
                f"{of('request')} | summarize failed={failed}, total=count() | where total >= {LEAST_REQUESTS} "
                "| project measured=todouble(failed) / total"
            )
        case "latency-p95" | "latency-p99":
            seconds = f"{field('event.duration', 'long')} / 1e9"
            return f"{of('request')} | summarize measured=percentile({seconds}, {alarm.kind.removeprefix('latency-p')})"
        case "throttles":
            return f"{of('store-throttled')} | summarize measured=count()"
        case "dependencies":
            return f"{of('breaker-opened')} | summarize measured=count()"
        case "queue-age":
            return f"{of('message')} | summarize measured=max({field('twofold.age', 'double')})"
        case "lag":
            return f"{of('commit')} | summarize measured=max({field('twofold.lag', 'double')})"
        case "parked":
            return f"{of('parked')} | summarize measured=count()"
        case "dead-letters":
            raise AssertionError("its question is the account's")


def dead_letters(queue: str, account: pulumi.Input[str]) -> pulumi.Output[str]:
    """What was put into a queue's dead-letter twin, by the kit or by the host. A workspace may have other accounts' logs too."""
    return pulumi.Output.concat(
        'StorageQueueLogs | where AccountName == "', account, '" and OperationName == "PutMessage" and StatusText == "Success" ',
        f'and Uri contains "/{queue}/messages" | summarize measured=count()',
    )  # fmt: skip


def rule(
    name: str, alarm: Alarm, query: pulumi.Input[str], *, workspace: pulumi.Input[str], group: pulumi.Input[str], location: str,
    actions: list[pulumi.Output[str]], opts: pulumi.ResourceOptions,
) -> monitor.ScheduledQueryRule:  # fmt: skip
    """A rule that asks, and tells `actions` while the answer is above the threshold."""
    every = URGENT_MINUTES if alarm.urgent or alarm.kind == "dead-letters" else MINUTES
    return monitor.ScheduledQueryRule(
        name, rule_name=name, resource_group_name=group, location=location, description=alarm.text, kind="LogAlert",
        severity=1 if alarm.urgent else 2, scopes=[workspace], evaluation_frequency=f"PT{every}M",
        # Lines take minutes to arrive: a window is never shorter than a quarter of an hour.
        window_size="PT15M", auto_mitigate=True, skip_query_validation=True,  # tables appear with the first line
        actions=monitor.ActionsArgs(action_groups=actions) if actions else None,
        criteria=monitor.ScheduledQueryRuleCriteriaArgs(
            all_of=[
                monitor.ConditionArgs(
                    query=query, metric_measure_column="measured", time_aggregation="Maximum", operator="GreaterThan",
                    threshold=alarm.threshold,
                    failing_periods=monitor.ConditionFailingPeriodsArgs(
                        number_of_evaluation_periods=1, min_failing_periods_to_alert=1
                    ),
                )
            ]
        ),
        # The scope can't be changed (Terraform's azurerm_monitor_scheduled_query_rules_alert_v2), and the name is the same.
        opts=pulumi.ResourceOptions.merge(
            opts, pulumi.ResourceOptions(replace_on_changes=["scopes"], delete_before_replace=True)
        ),
    )  # fmt: skip
