"""Who is told of alarms: an address, a webhook, by an action group."""

import pulumi
from pulumi_azure_native import monitor

from twofold.deploy.config import StackConfig


class Notifications(pulumi.ComponentResource):
    """`actions` are what a rule does when it fires; empty when `twofold:alertEmail` and `alertWebhook` are not set.

    A webhook gets Azure Monitor's common alert schema, JSON by POST.
    """

    def __init__(
        self, name: str, *, config: StackConfig, group: pulumi.Input[str], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("twofold:azure:Notifications", name, None, opts)
        self.actions: list[pulumi.Output[str]] = []
        self.wanted = bool(config.alert_email or config.alert_webhook)
        if self.wanted:
            emails = [
                monitor.MicrosoftCommonEmailReceiverArgs(
                    name="email", email_address=config.alert_email, use_common_alert_schema=True
                )
            ]
            hooks = [
                monitor.WebhookReceiverArgs(
                    name="webhook", service_uri=config.alert_webhook, use_common_alert_schema=True
                )
            ]
            receivers = monitor.ActionGroup(
                f"{name}-alarms", action_group_name=f"{name}-alarms", resource_group_name=group, location="Global",
                group_short_name=name.replace("-", "")[:12], enabled=True,
                email_receivers=emails if config.alert_email else [],
                webhook_receivers=hooks if config.alert_webhook else [],
                opts=pulumi.ResourceOptions(parent=self),
            )  # fmt: skip
            self.actions.append(receivers.id)
        self.register_outputs({})
