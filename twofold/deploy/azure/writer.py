"""Who may write what the deployer uploads: one role on one container, of one principal that the stack names.

`twofold:deployer` names it, best a group of all who deploy. Without it the first login to run `pulumi up` has the role and keeps
it: who previews later, or asks for drift, plans no change.
"""

import pulumi
from pulumi_azure_native import authorization

from twofold.deploy.azure.account import Login
from twofold.deploy.azure.secrets import role
from twofold.deploy.config import StackConfig

BLOB_CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
"""Storage Blob Data Contributor."""


class Writer:
    """`assignment` is the role's; `principal` whose it is while nobody is named, else empty."""

    def __init__(
        self, name: str, *, container: pulumi.Input[str], config: StackConfig, login: Login, parent: pulumi.Resource
    ) -> None:
        kind, _, named = config.deployer.partition(":")
        self.assignment = authorization.RoleAssignment(
            name, principal_id=named or login.object_id, principal_type=kind or login.principal_type, scope=container,
            role_definition_id=role(login.subscription, BLOB_CONTRIBUTOR),
            opts=pulumi.ResourceOptions(parent=parent, ignore_changes=None if named else ["principalId", "principalType"]),
        )  # fmt: skip
        self.principal: pulumi.Input[str] = "" if named else self.assignment.principal_id
