"""The cache: Azure Managed Redis, entered by the units' identities alone."""

from collections.abc import Sequence

import pulumi
from pulumi_azure_native import redisenterprise

from twofold.deploy.azure.names import unique
from twofold.deploy.azure.network import Network, public_access
from twofold.deploy.config import StackConfig
from twofold.manifest import Unit

PORT = 10000


class Cache(pulumi.ComponentResource):
    """The smallest Managed Redis, TLS only, access keys off; nothing with `twofold:cache: none`. `url` is the cache's URL.

    Without a network its address is public: what keeps others out is that only these identities have an assignment. With
    `protect` it is replicated, which is chosen when it is made; it holds nothing that could not be loaded again.
    """

    def __init__(
        self, name: str, *, config: StackConfig, group: pulumi.Input[str], subscription: str,
        network: Network | None = None, opts: pulumi.ResourceOptions | None = None,
    ) -> None:  # fmt: skip
        super().__init__("twofold:azure:Cache", name, None, opts)
        self._group, child = group, pulumi.ResourceOptions(parent=self)
        self._assignments: list[pulumi.Resource] = []
        self.cluster: redisenterprise.RedisEnterprise | None = None
        self.database: redisenterprise.Database | None = None
        self.url: pulumi.Output[str] | None = None
        if config.cache == "redis":
            self.cluster = redisenterprise.RedisEnterprise(
                name, cluster_name=unique(name, subscription, limit=60), resource_group_name=group, location=config.region,
                sku=redisenterprise.SkuArgs(name=redisenterprise.SkuName.BALANCED_B0), minimum_tls_version="1.2",
                high_availability="Enabled" if config.protect else "Disabled", public_network_access=public_access(network),
                # It can't be changed (Terraform's azurerm_managed_redis makes another one).
                opts=pulumi.ResourceOptions(parent=self, ignore_changes=["highAvailability"]),
            )  # fmt: skip
            if network is not None:
                network.endpoint(name, self.cluster.id, "redisEnterprise")
            self.database = redisenterprise.Database(
                name, database_name="default", cluster_name=self.cluster.name, resource_group_name=group, port=PORT,
                client_protocol="Encrypted", access_keys_authentication="Disabled", eviction_policy="AllKeysLRU",
                # One endpoint for plain clients, before however many shards.
                clustering_policy="EnterpriseCluster", opts=child,
            )  # fmt: skip
            self.url = pulumi.Output.format("azureredis://{0}:{1}", self.cluster.host_name, PORT)
        self.register_outputs({"url": self.url})

    def allow(
        self, name: str, unit: Unit, principal: pulumi.Input[str], after: Sequence[pulumi.Resource] = ()
    ) -> list[pulumi.Resource]:
        """Lets a unit's identity in. There is one policy, `default`: all commands on all keys.

        One assignment comes after the other, and `after` what the identity has to wait for: a cache takes one at a time, and of
        two at once one fails (azure-dev#6640).
        """
        if self.cluster is None or self.database is None:
            return []
        self._assignments.append(
            redisenterprise.AccessPolicyAssignment(
                f"{name}-cache", access_policy_assignment_name=unit.role.replace("-", ""), access_policy_name="default",
                cluster_name=self.cluster.name, database_name=self.database.name, resource_group_name=self._group,
                user=redisenterprise.AccessPolicyAssignmentPropertiesUserArgs(object_id=principal),
                opts=pulumi.ResourceOptions(parent=self, depends_on=[*after, *self._assignments[-1:]]),
            )
        )  # fmt: skip
        return self._assignments[-1:]
