"""What the stack may cost in a month, and who hears when it costs more."""

import datetime

import pulumi
from pulumi_azure_native import consumption

from twofold.deploy.config import StackConfig

THRESHOLDS = (("Actual", 80), ("Actual", 100), ("Forecasted", 100))
"""In percent of the amount."""


class Budget(pulumi.ComponentResource):
    """A monthly budget of the stack's resource group, in the account's currency, told to `twofold:alertEmail`; nothing without
    `twofold:budget`. Costs are known to Azure some hours after they arise.
    """

    def __init__(
        self, name: str, *, config: StackConfig, group: pulumi.Output[str], subscription: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:  # fmt: skip
        super().__init__("twofold:azure:Budget", name, None, opts)
        if config.budget is not None:
            consumption.Budget(
                name, budget_name=name, amount=config.budget, category="Cost", time_grain="Monthly",
                scope=pulumi.Output.concat("/subscriptions/", subscription, "/resourceGroups/", group),
                # A new budget begins with the month that it is made in. That month stays: it would be another one at each update.
                time_period=consumption.BudgetTimePeriodArgs(
                    start_date=datetime.datetime.now(datetime.UTC).strftime("%Y-%m-01T00:00:00Z")
                ),
                notifications={
                    f"{kind.lower()}{percent}": consumption.NotificationArgs(
                        enabled=True, threshold_type=kind, threshold=percent, operator="GreaterThan",
                        contact_emails=[config.alert_email],
                    )
                    for kind, percent in THRESHOLDS
                },
                opts=pulumi.ResourceOptions(parent=self, ignore_changes=["timePeriod"]),
            )  # fmt: skip
        self.register_outputs({})
