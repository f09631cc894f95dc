"""The database: a Cosmos DB account, its containers, and who may use them."""

import uuid
from collections.abc import Sequence

import pulumi
from pulumi_azure_native import cosmosdb

from twofold.deploy.azure.encryption import CustomerKey
from twofold.deploy.azure.names import unique
from twofold.deploy.azure.network import Network, public_access
from twofold.manifest import ServiceManifest

CONTRIBUTOR = "00000000-0000-0000-0000-000000000002"
"""Cosmos DB Built-in Data Contributor."""


class Data(pulumi.ComponentResource):
    """A serverless account without keys, Strong consistency, continuous backup; a container for each collection, and `leases`.

    `url` is the store's URL, None when the service uses no store. In a network it has a private address alone.
    """

    def __init__(
        self, name: str, *, manifest: ServiceManifest, group: pulumi.Input[str], location: str, subscription: str,
        protect: bool, network: Network | None = None, key: CustomerKey | None = None, opts: pulumi.ResourceOptions | None = None,
    ) -> None:  # fmt: skip
        super().__init__("twofold:azure:Data", name, None, opts)
        self.key = key
        self._name, self._group = name, group
        self._assignments: list[pulumi.Resource] = []
        self._parts: list[pulumi.Resource] = []
        self.account: cosmosdb.DatabaseAccount | None = None
        self.url: pulumi.Output[str] | None = None
        if manifest.blocks:
            protected = pulumi.ResourceOptions(parent=self, protect=protect, retain_on_delete=protect)
            account_name = unique(name, subscription, limit=44)
            self.account = cosmosdb.DatabaseAccount(
                name, account_name=account_name, resource_group_name=group, location=location,
                kind="GlobalDocumentDB", database_account_offer_type=cosmosdb.DatabaseAccountOfferType.STANDARD,
                capabilities=[cosmosdb.CapabilityArgs(name="EnableServerless")],
                locations=[cosmosdb.LocationArgs(location_name=location, failover_priority=0)],
                consistency_policy=cosmosdb.ConsistencyPolicyArgs(default_consistency_level=cosmosdb.DefaultConsistencyLevel.STRONG),
                backup_policy=cosmosdb.ContinuousModeBackupPolicyArgs(
                    type="Continuous",
                    continuous_mode_properties=cosmosdb.ContinuousModePropertiesArgs(tier="Continuous7Days"),
                ),
                disable_local_auth=True, disable_key_based_metadata_write_access=True,
                minimal_tls_version="Tls12",
                public_network_access=public_access(network), key_vault_key_uri=key.url if key else None,
                default_identity=f"UserAssignedIdentity={key.identity}" if key else None,
                identity=cosmosdb.ManagedServiceIdentityArgs(
                    type=cosmosdb.ResourceIdentityType.USER_ASSIGNED, user_assigned_identities=[key.identity]
                ) if key else None,
                opts=protected,
            )  # fmt: skip
            if network is not None:
                network.endpoint(name, self.account.id, "Sql")
                self._parts += network.endpoints[-1:]
            database = cosmosdb.SqlResourceSqlDatabase(
                name, account_name=self.account.name, resource_group_name=group, database_name=manifest.name,
                resource=cosmosdb.SqlDatabaseResourceArgs(id=manifest.name), opts=protected,
            )  # fmt: skip
            self._parts.append(database)
            containers = dict.fromkeys(manifest.store_collections, "/p")
            if manifest.reads_feed:
                containers["leases"] = "/id"
            for container, path in containers.items():
                self._parts.append(
                    cosmosdb.SqlResourceSqlContainer(
                        f"{name}-{container}", account_name=self.account.name, resource_group_name=group,
                        database_name=database.name, container_name=container,
                        resource=cosmosdb.SqlContainerResourceArgs(
                            id=container, default_ttl=-1,
                            partition_key=cosmosdb.ContainerPartitionKeyArgs(paths=[path], kind="Hash", version=2),
                        ),
                        opts=protected,
                    )
                )  # fmt: skip
            self.url = pulumi.Output.format("cosmos://{0}.documents.azure.com/{1}", self.account.name, database.name)
        self.register_outputs({"url": self.url})

    def allow(
        self, unit: str, principal: pulumi.Input[str], after: Sequence[pulumi.Resource] = ()
    ) -> list[pulumi.Resource]:
        """Lets a unit's identity read and write this account's data, and nothing about the account itself.

        One assignment comes after the other, the first after the account's own parts, and each after what its identity has to
        wait for: an account is locked while it takes one, and refuses the next with 412 (terraform-provider-azurerm#15842).
        """
        if self.account is None:
            return []
        self._assignments.append(
            cosmosdb.SqlResourceSqlRoleAssignment(
                f"{unit}-data", account_name=self.account.name, resource_group_name=self._group, principal_id=principal,
                role_assignment_id=str(uuid.uuid5(uuid.NAMESPACE_URL, f"{unit}-data")),
                role_definition_id=pulumi.Output.concat(self.account.id, "/sqlRoleDefinitions/", CONTRIBUTOR),
                scope=self.account.id,
                opts=pulumi.ResourceOptions(parent=self, depends_on=[*after, *(self._assignments[-1:] or self._parts)]),
            )
        )  # fmt: skip
        return self._assignments[-1:]
