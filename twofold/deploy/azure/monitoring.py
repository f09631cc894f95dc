"""Logs of the apps, and alarms: one for each queue, on its dead letters."""

from collections.abc import Mapping

import pulumi
from pulumi_azure_native import monitor, operationalinsights

from twofold.deploy.azure.messaging import Messaging
from twofold.manifest import ServiceManifest
from twofold.portable.message_queue import dead_letter_name


class Monitoring(pulumi.ComponentResource):
    """A workspace with the units' logs, 30 days of them: `logs` are their sources.

    For each queue an alert rule `<prefix>-<dead-letter queue>` that fires within a quarter of an hour of a new dead letter.

    Storage has no timely metric for it: `QueueMessageCount` is taken once a day, over all queues of an account. So the account's
    write log goes to a workspace, and the rule looks there for what was put into the twin, by the kit or by the host. The workspace
    is the one with the id `existing`, or one of its own.
    """

    def __init__(
        self, name: str, *, manifest: ServiceManifest, messaging: Messaging, logs: Mapping[str, tuple[pulumi.Input[str], str]],
        group: pulumi.Input[str], location: str, existing: str = "", opts: pulumi.ResourceOptions | None = None,
    ) -> None:  # fmt: skip
        super().__init__("twofold:azure:Monitoring", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        workspace: pulumi.Input[str] = existing
        if not existing:
            workspace = operationalinsights.Workspace(
                name, workspace_name=name, resource_group_name=group, location=location, retention_in_days=30,
                sku=operationalinsights.WorkspaceSkuArgs(name="PerGB2018"), opts=child,
            ).id  # fmt: skip
        for source, (resource, category) in logs.items():
            monitor.DiagnosticSetting(
                f"{name}-{source}-logs", name="logs", workspace_id=workspace, resource_uri=resource,
                logs=[monitor.DiagnosticsLogSettingsArgs(category=category, enabled=True)], opts=child,
            )  # fmt: skip
        if messaging.account is not None:
            logged = monitor.DiagnosticSetting(
                f"{name}-queues", name="writes", workspace_id=workspace,
                resource_uri=pulumi.Output.concat(messaging.account.id, "/queueServices/default"),
                logs=[monitor.DiagnosticsLogSettingsArgs(category="StorageWrite", enabled=True)], opts=child,
            )  # fmt: skip
            for spec in manifest.queues:
                dead = dead_letter_name(spec.name)
                # A workspace may have other accounts' logs too.
                query = pulumi.Output.concat(
                    'StorageQueueLogs | where AccountName == "', messaging.account.name, '" and OperationName == "PutMessage" ',
                    f'and StatusText == "Success" and Uri contains "/{manifest.name}-{dead}/messages"',
                )  # fmt: skip
                monitor.ScheduledQueryRule(
                    f"{name}-{dead}", rule_name=f"{name}-{dead}", resource_group_name=group, location=location,
                    description=f"{spec.name}: messages that no attempt could work off", kind="LogAlert", severity=2,
                    scopes=[workspace], evaluation_frequency="PT5M", window_size="PT15M",
                    skip_query_validation=True,  # the table appears with the first write
                    criteria=monitor.ScheduledQueryRuleCriteriaArgs(
                        all_of=[
                            monitor.ConditionArgs(
                                query=query, time_aggregation="Count", operator="GreaterThan", threshold=0,
                                failing_periods=monitor.ConditionFailingPeriodsArgs(
                                    number_of_evaluation_periods=1, min_failing_periods_to_alert=1
                                ),
                            )
                        ]
                    ),
                    opts=pulumi.ResourceOptions(parent=self, depends_on=[logged]),
                )  # fmt: skip
        self.register_outputs({})
