"""The units' logs in the workspace, alarms, a dashboard and saved queries, from the manifest: by the other cloud's names."""

from collections.abc import Mapping

import pulumi
from pulumi_azure_native import monitor

from twofold.deploy.alarms import Alarm, alarms
from twofold.deploy.azure.alarms import dead_letters, question, rule
from twofold.deploy.azure.dashboard import Dashboard
from twofold.deploy.azure.logs import Logs
from twofold.deploy.azure.messaging import Messaging
from twofold.deploy.azure.notifications import Notifications
from twofold.deploy.config import StackConfig
from twofold.manifest import ServiceManifest
from twofold.portable.message_queue import dead_letter_name


class Monitoring(pulumi.ComponentResource):
    """A rule for each queue's dead letters always; all others where somebody is told (`Notifications.wanted`).

    A rule costs by the month, also while it is silent; those on dead letters are the ones that nobody should be without. Storage
    has no timely metric for them: `QueueMessageCount` is taken once a day, over all queues of an account. So the account's write
    log goes to the workspace, as the units' own logs do (`sources`: what of which resource). `dashboard_url` is the stack's.
    """

    def __init__(
        self, name: str, *, manifest: ServiceManifest, config: StackConfig, messaging: Messaging,
        sources: Mapping[str, tuple[pulumi.Input[str], str]], logs: Logs, notifications: Notifications,
        group: pulumi.Input[str], opts: pulumi.ResourceOptions | None = None,
    ) -> None:  # fmt: skip
        super().__init__("twofold:azure:Monitoring", name, None, opts)
        self._name, self._manifest, self._config, self._messaging = name, manifest, config, messaging
        self._logs, self._group, self._actions = logs, group, notifications.actions
        self._table = next(iter(sources.values()))[1]
        self._logged = [
            self._log(f"{name}-{source}-logs", "logs", resource, category)
            for source, (resource, category) in sources.items()
        ]
        if messaging.account is not None:
            queues = pulumi.Output.concat(messaging.account.id, "/queueServices/default")
            self._logged.append(self._log(f"{name}-queues", "writes", queues, "StorageWrite"))
        for alarm in alarms(manifest):
            if alarm.kind == "dead-letters":
                self._dead_letters(alarm)
            elif notifications.wanted:
                self._rule(f"{name}-{alarm.name}", alarm, question(alarm, manifest, config.environment, self._table))
        dashboard = Dashboard(
            name, manifest=manifest, environment=config.environment, group=group, location=config.region,
            table=self._table, workspace=logs.workspace, workspace_group=logs.group, workspace_name=logs.name,
            opts=pulumi.ResourceOptions(parent=self),
        )  # fmt: skip
        self.dashboard_url = dashboard.url
        self.register_outputs({"dashboard_url": self.dashboard_url})

    def _log(self, name: str, short: str, resource: pulumi.Input[str], category: str) -> pulumi.Resource:
        return monitor.DiagnosticSetting(
            name, name=short, workspace_id=self._logs.workspace, resource_uri=resource,
            logs=[monitor.DiagnosticsLogSettingsArgs(category=category, enabled=True)],
            opts=pulumi.ResourceOptions(parent=self),
        )  # fmt: skip

    def _dead_letters(self, alarm: Alarm) -> None:
        assert self._messaging.account is not None
        dead = dead_letter_name(alarm.subject)
        query = dead_letters(f"{self._manifest.name}-{dead}", self._messaging.account.name)
        self._rule(f"{self._name}-{dead}", alarm, query)

    def _rule(self, name: str, alarm: Alarm, query: pulumi.Input[str]) -> None:
        rule(
            name, alarm, query, workspace=self._logs.workspace, group=self._group, location=self._config.region,
            actions=self._actions, opts=pulumi.ResourceOptions(parent=self, depends_on=self._logged),
        )  # fmt: skip
