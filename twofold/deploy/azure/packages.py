"""Where code lies: each unit's deployment package and the kept releases, in a storage account apart from the host's.

Every unit's identity may write all of the host's account, for leases and keys. Here it may write its own container alone: the
platform puts a package there, and takes it from there, by the app's identity (*Storage Blob Data Contributor*, as Microsoft's page
on Flex Consumption's deployment settings has it). The container of releases is the deployer's.
"""

import pulumi
from pulumi_azure_native import authorization, storage

from twofold.deploy.azure.encryption import account, customer_key
from twofold.deploy.azure.names import unique
from twofold.deploy.azure.network import Network
from twofold.deploy.azure.secrets import role
from twofold.deploy.azure.writer import BLOB_CONTRIBUTOR
from twofold.deploy.config import StackConfig

RELEASES = "releases"


class Packages:
    """The account; `unit` and `releases` each add a container."""

    def __init__(
        self, name: str, *, config: StackConfig, group: pulumi.Input[str], subscription: str, network: Network | None,
        parent: pulumi.Resource,
    ) -> None:  # fmt: skip
        self._name, self._group, self._subscription = name, group, subscription
        self._child = pulumi.ResourceOptions(parent=parent)
        self._account = storage.StorageAccount(
            f"{name}-code", account_name=unique(f"{name}-code", subscription, limit=24, hyphens=False),
            resource_group_name=group, location=config.region, kind="StorageV2", sku=storage.SkuArgs(name="Standard_LRS"),
            allow_shared_key_access=False, allow_blob_public_access=False, minimum_tls_version="TLS1_2",
            enable_https_traffic_only=True, opts=self._child, **account(customer_key(config)),
        )  # fmt: skip
        if network is not None:
            network.endpoint(f"{name}-code", self._account.id, "blob")

    def unit(
        self, name: str, role_name: str, principal: pulumi.Input[str]
    ) -> tuple[pulumi.Output[str], pulumi.Resource]:
        """The URL of a unit's own container, and what lets its identity write there."""
        container = self._container(name, role_name)
        allowed = authorization.RoleAssignment(
            f"{name}-code", principal_id=principal, principal_type="ServicePrincipal", scope=container.id,
            role_definition_id=role(self._subscription, BLOB_CONTRIBUTOR), opts=self._child,
        )  # fmt: skip
        return self._url(container), allowed

    def releases(self) -> tuple[pulumi.Output[str], pulumi.Output[str]]:
        """The URL and the resource id of the container of releases, where no unit may do anything."""
        container = self._container(f"{self._name}-releases", RELEASES)
        return self._url(container), container.id

    def _container(self, name: str, container: str) -> storage.BlobContainer:
        return storage.BlobContainer(
            name, container_name=container, account_name=self._account.name, resource_group_name=self._group, opts=self._child
        )  # fmt: skip

    def _url(self, container: storage.BlobContainer) -> pulumi.Output[str]:
        return pulumi.Output.concat("https://", self._account.name, ".blob.core.windows.net/", container.name)
