"""What the stack may cost in a month, and who hears when it costs more."""

import pulumi
from pulumi_aws import budgets

from twofold.deploy.config import StackConfig

THRESHOLDS = (("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100))
"""In percent of the amount. A forecast needs about five weeks of costs before AWS makes one."""


class Budget(pulumi.ComponentResource):
    """A monthly budget in US dollars, told to `twofold:alertEmail`; nothing without `twofold:budget`.

    It counts what carries the stack's tags `service` and `environment`. AWS knows tags in costs only after the paying account has
    activated them as cost allocation tags: until then it counts nothing, and says nothing.
    """

    def __init__(
        self, name: str, *, config: StackConfig, tags: dict[str, str], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("twofold:aws:Budget", name, None, opts)
        if config.budget is not None:
            # Together: one key's values in `cost_filters` would be alternatives.
            ours = [
                budgets.BudgetFilterExpressionAndArgs(
                    tags=budgets.BudgetFilterExpressionAndTagsArgs(
                        key=key, values=[tags[key]], match_options=["EQUALS"]
                    )
                )
                for key in ("service", "environment")
            ]
            budgets.Budget(
                name, name=name, budget_type="COST", time_unit="MONTHLY", limit_amount=str(config.budget),
                limit_unit="USD", metrics="UnblendedCost",
                filter_expression=budgets.BudgetFilterExpressionArgs(ands=ours),
                notifications=[
                    budgets.BudgetNotificationArgs(
                        notification_type=kind, threshold=percent, threshold_type="PERCENTAGE",
                        comparison_operator="GREATER_THAN", subscriber_email_addresses=[config.alert_email],
                    )
                    for kind, percent in THRESHOLDS
                ],
                opts=pulumi.ResourceOptions(parent=self),
            )  # fmt: skip
        self.register_outputs({})
