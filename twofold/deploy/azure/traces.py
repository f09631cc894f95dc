"""Application Insights: where an Azure stack's traces go when its config says `telemetry: managed`."""

import pulumi
from pulumi_azure_native import applicationinsights, authorization

from twofold.deploy.azure.logs import Logs
from twofold.deploy.azure.secrets import role
from twofold.deploy.config import StackConfig

METRICS_PUBLISHER = "3913510d-42f4-4e42-8a64-420c390055eb"
"""Monitoring Metrics Publisher: what Application Insights asks of who sends it telemetry."""


class Traces(pulumi.ComponentResource):
    """A component without local authentication, so that its connection string opens nothing. `url` is None where it is off.

    It keeps its data in the stack's workspace.
    """

    def __init__(
        self, name: str, *, config: StackConfig, logs: Logs, group: pulumi.Input[str], subscription: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:  # fmt: skip
        super().__init__("twofold:azure:Traces", name, None, opts)
        self._subscription, self._child = subscription, pulumi.ResourceOptions(parent=self)
        self.component: applicationinsights.Component | None = None
        self.url = config.telemetry if config.telemetry not in ("none", "managed") else None
        self.metrics_url = ""
        self.variables: dict[str, pulumi.Input[str]] = {}
        if config.telemetry == "managed":
            self.component = applicationinsights.Component(
                name, resource_name_=name, resource_group_name=group, location=config.region, kind="web",
                application_type="web", workspace_resource_id=logs.workspace, disable_local_auth=True, opts=self._child,
            )  # fmt: skip
            self.url = self.metrics_url = "azuremonitor:"
            self.variables["APPLICATIONINSIGHTS_CONNECTION_STRING"] = self.component.connection_string
        self.register_outputs({})

    def allow(self, unit: str, principal: pulumi.Input[str]) -> list[pulumi.Resource]:
        """Lets a unit's identity send traces."""
        if self.component is None:
            return []
        return [
            authorization.RoleAssignment(
                f"{unit}-traces", principal_id=principal, principal_type="ServicePrincipal", scope=self.component.id,
                role_definition_id=role(self._subscription, METRICS_PUBLISHER), opts=self._child,
            )
        ]  # fmt: skip
