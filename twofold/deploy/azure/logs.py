"""Where the stack's logs go: a Log Analytics workspace of its own, or one that exists."""

import pulumi
from pulumi_azure_native import operationalinsights

from twofold.deploy.config import StackConfig


class Logs(pulumi.ComponentResource):
    """`workspace` is its id, `group` and `name` are its parts. A workspace of the stack's own keeps logs for 30 days."""

    def __init__(
        self, name: str, *, config: StackConfig, group: pulumi.Input[str], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("twofold:azure:Logs", name, None, opts)
        self.workspace: pulumi.Input[str]
        self.group: pulumi.Input[str] = group
        self.name: pulumi.Input[str] = name
        if existing := config.log_workspace:
            self.workspace, self.group, self.name = existing, existing.split("/")[4], existing.split("/")[8]
        else:
            # Until 0.1.0 the workspace was monitoring's.
            before = pulumi.Alias(parent=pulumi.create_urn(name, "twofold:azure:Monitoring"))
            workspace = operationalinsights.Workspace(
                name, workspace_name=name, resource_group_name=group, location=config.region, retention_in_days=30,
                sku=operationalinsights.WorkspaceSkuArgs(name="PerGB2018"),
                opts=pulumi.ResourceOptions(parent=self, aliases=[before]),
            )  # fmt: skip
            self.workspace, self.name = workspace.id, workspace.name
        self.register_outputs({"workspace": self.workspace})
