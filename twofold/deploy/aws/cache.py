"""The cache: ElastiCache Serverless for Valkey, entered by IAM, in the units' network."""

import hashlib

import pulumi
from pulumi_aws import ec2, elasticache

from twofold.deploy.aws.network import Network, open_to
from twofold.deploy.config import StackConfig
from twofold.manifest import ServiceManifest, Unit

PORT = 6379
ACCESS = "on ~{prefix}:* -@all +@connection +@read +@write +@scripting -@dangerous"
"""A unit's permissions in the cache: the service's own keys."""


class Cache(pulumi.ComponentResource):
    """A serverless cache of at most 1 GB and 5,000 ECPU/s over TLS; nothing with `twofold:cache: none`.

    `url(unit)` is the cache's URL for a unit, None without a cache. Another network or encryption key makes a new, empty cache:
    ElastiCache can't change them, and the name is the same, so the old one goes first.
    """

    def __init__(
        self, name: str, *, manifest: ServiceManifest, config: StackConfig, network: Network | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:  # fmt: skip
        super().__init__("twofold:aws:Cache", name, None, opts)
        self._name, self._region, self._child = name, config.region, pulumi.ResourceOptions(parent=self)
        # A stack's program from before there was a network of its own passes none.
        self.network = network or Network(name, manifest=manifest, config=config, opts=opts)
        self.cache: elasticache.ServerlessCache | None = None
        self.users: dict[str, elasticache.User] = {}
        if config.cache == "redis":
            self.cache = self._cache(manifest, config.encryption_key or None)
        self.register_outputs({})

    def url(self, unit: str) -> pulumi.Output[str] | None:
        """The cache's URL for a unit, which enters it as a user of its own."""
        if self.cache is None:
            return None
        endpoint = self.cache.endpoints[0]
        return pulumi.Output.format(
            "elasticache://{0}:{1}/{2}/{3}/{4}", endpoint.address, endpoint.port, self._region, self.cache.name,
            self.users[unit].user_id,
        )  # fmt: skip

    def statements(self, unit: Unit) -> list[dict[str, object]]:
        """What a unit's role may do: enter as its user."""
        if self.cache is None:
            return []
        return [{"actions": ["elasticache:Connect"], "resources": [self.cache.arn, self.users[unit.role].arn]}]

    def _cache(self, manifest: ServiceManifest, key: str | None) -> "elasticache.ServerlessCache":
        assert self.network.vpc is not None
        for unit in manifest.units:
            user = user_id(f"{self._name}-{unit.role}")
            self.users[unit.role] = elasticache.User(
                f"{self._name}-{unit.role}", user_id=user, user_name=user, engine="valkey",
                access_string=ACCESS.format(prefix=self._name),
                authentication_mode=elasticache.UserAuthenticationModeArgs(type="iam"), opts=self._child,
            )  # fmt: skip
        users = elasticache.UserGroup(
            self._name, user_group_id=self._name, engine="valkey", user_ids=[one.user_id for one in self.users.values()],
            opts=self._child,
        )  # fmt: skip
        group = ec2.SecurityGroup(
            f"{self._name}-cache", description="the cache: from the functions alone", vpc_id=self.network.vpc,
            ingress=[open_to(PORT, self.network.groups, "the functions")], opts=self._child,
        )  # fmt: skip
        ec2.SecurityGroupRule(
            f"{self._name}-to-cache", type="egress", protocol="tcp", from_port=PORT, to_port=PORT,
            description="the cache", security_group_id=self.network.groups[0], source_security_group_id=group.id,
            opts=self._child,
        )  # fmt: skip
        limits = elasticache.ServerlessCacheCacheUsageLimitsArgs(
            data_storage=elasticache.ServerlessCacheCacheUsageLimitsDataStorageArgs(maximum=1, unit="GB"),
            ecpu_per_seconds=[elasticache.ServerlessCacheCacheUsageLimitsEcpuPerSecondArgs(maximum=5000)],
        )
        return elasticache.ServerlessCache(
            self._name, name=self._name, engine="valkey", major_engine_version="8", cache_usage_limits=limits,
            subnet_ids=self.network.subnets, security_group_ids=[group.id], user_group_id=users.user_group_id, kms_key_id=key,
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )  # fmt: skip


def user_id(text: str) -> str:
    """A name of at most 40 characters, which is what ElastiCache allows."""
    return text if len(text) <= 40 else f"{text[:31].rstrip('-')}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
