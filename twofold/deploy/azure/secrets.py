"""The vault: given its values outside the program, readable by role alone."""

import pulumi
from pulumi_azure_native import authorization, keyvault

from twofold.deploy.azure.names import unique
from twofold.deploy.azure.network import Network, public_access
from twofold.manifest import ServiceManifest

SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"
"""Key Vault Secrets User."""


class Secrets(pulumi.ComponentResource):
    """A Key Vault under RBAC, with soft delete. `url` is the vault's URL, None without secrets.

    In a network it has a private address alone: who sets a value has to be inside as well. How long what is deleted is kept is
    chosen when the vault is made, and purge protection stays once it is on: Azure changes neither.
    """

    def __init__(
        self, name: str, *, manifest: ServiceManifest, group: pulumi.Input[str], location: str, subscription: str,
        tenant: str, protect: bool, network: Network | None = None, opts: pulumi.ResourceOptions | None = None,
    ) -> None:  # fmt: skip
        super().__init__("twofold:azure:Secrets", name, None, opts)
        self._subscription = subscription
        self.vault: keyvault.Vault | None = None
        self.url: str | None = None
        if manifest.secrets:
            vault_name = unique(name, subscription, limit=24)
            self.vault = keyvault.Vault(
                name, vault_name=vault_name, resource_group_name=group, location=location,
                properties=keyvault.VaultPropertiesArgs(
                    tenant_id=tenant, sku=keyvault.SkuArgs(family="A", name=keyvault.SkuName.STANDARD),
                    enable_rbac_authorization=True, enable_soft_delete=True, soft_delete_retention_in_days=90 if protect else 7,
                    enable_purge_protection=True if protect else None,
                    public_network_access=public_access(network).lower(),
                    network_acls=keyvault.NetworkRuleSetArgs(
                        default_action="Allow" if public_access(network) == "Enabled" else "Deny", bypass="AzureServices"
                    ),
                ),
                opts=pulumi.ResourceOptions(
                    parent=self, protect=protect, retain_on_delete=protect,
                    ignore_changes=["properties.softDeleteRetentionInDays"],
                ),
            )  # fmt: skip
            if network is not None:
                network.endpoint(name, self.vault.id, "vault")
            self.url = f"keyvault://{vault_name}.vault.azure.net"
        self.register_outputs({"url": self.url})

    def allow(self, unit: str, principal: pulumi.Input[str]) -> list[pulumi.Resource]:
        """Lets a unit's identity read the vault's secrets."""
        if self.vault is None:
            return []
        return [
            authorization.RoleAssignment(
                f"{unit}-secrets", principal_id=principal, principal_type="ServicePrincipal", scope=self.vault.id,
                role_definition_id=role(self._subscription, SECRETS_USER), opts=pulumi.ResourceOptions(parent=self),
            )
        ]  # fmt: skip


def role(subscription: str, role_id: str) -> str:
    """The resource id of a built-in role."""
    return f"/subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions/{role_id}"
