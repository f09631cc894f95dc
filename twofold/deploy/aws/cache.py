"""The cache: ElastiCache Serverless for Valkey, entered by IAM, and the network that it needs.

A cache has no address outside a VPC, so the units go into one; and from there to everything else: to DynamoDB by a gateway
endpoint, which costs nothing, to all the rest by one NAT gateway. Interface endpoints (SQS, Secrets Manager, EventBridge) would
not do without it: the token issuer's keys and other services' APIs are on the Internet.
"""

import hashlib

import pulumi
from pulumi_aws import GetAvailabilityZonesFilterArgs, ec2, elasticache, get_availability_zones

from twofold.deploy.config import StackConfig
from twofold.manifest import ServiceManifest, Unit

# pulumi_aws loads ec2 at its first use, 70 MB of it: so it is quoted where it would be used without a cache.
PORT = 6379
SUBNETS = ("10.0.16.0/20", "10.0.32.0/20")
"""Two zones, as a serverless cache wants; 4,091 addresses each."""
INTERFACE_ACTIONS = [
    "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets",
    "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses",
]  # fmt: skip
ACCESS = "on ~{prefix}:* -@all +@connection +@read +@write +@scripting -@dangerous"
"""A unit's permissions in the cache: the service's own keys."""


class Cache(pulumi.ComponentResource):
    """A serverless cache of at most 1 GB and 5,000 ECPU/s over TLS, in a VPC of its own; nothing with `twofold:cache: none`.

    `url(unit)` is the cache's URL for a unit, None without a cache. `subnets` and `groups` are where its functions run.
    """

    def __init__(
        self, name: str, *, manifest: ServiceManifest, config: StackConfig, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("twofold:aws:Cache", name, None, opts)
        self._name, self._region, self._child = name, config.region, pulumi.ResourceOptions(parent=self)
        self.cache: elasticache.ServerlessCache | None = None
        self.users: dict[str, elasticache.User] = {}
        self.subnets: list[ec2.Subnet] = []
        self.groups: list[ec2.SecurityGroup] = []
        if config.cache == "redis":
            self._network(stored=bool(manifest.blocks))
            self.cache = self._cache(manifest)
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

    def statements(self, unit: Unit, role: pulumi.Output[str], function: str) -> list[dict[str, object]]:
        """What a unit's role (its ARN) may do: enter as its user; and Lambda, but not the function's code, its interfaces."""
        if self.cache is None:
            return []
        arn = role.apply(
            lambda arn: f"{arn.rpartition(':iam')[0]}:lambda:{self._region}:{arn.split(':')[4]}:function:{function}"
        )
        return [
            {"actions": ["elasticache:Connect"], "resources": [self.cache.arn, self.users[unit.role].arn]},
            # Describing and creating interfaces has no resource-level permission that Lambda would work with.
            {"actions": INTERFACE_ACTIONS, "resources": ["*"]},
            {
                "effect": "Deny", "actions": INTERFACE_ACTIONS, "resources": ["*"],
                "condition": {"ArnEquals": {"lambda:SourceFunctionArn": [arn]}},
            },
        ]  # fmt: skip

    def _cache(self, manifest: ServiceManifest) -> "elasticache.ServerlessCache":
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
            f"{self._name}-cache", description="the cache: from the functions alone", vpc_id=self.subnets[0].vpc_id,
            ingress=[_open(PORT, security_groups=[self.groups[0].id])], opts=self._child,
        )  # fmt: skip
        ec2.SecurityGroupRule(
            f"{self._name}-to-cache", type="egress", protocol="tcp", from_port=PORT, to_port=PORT,
            description="the cache", security_group_id=self.groups[0].id, source_security_group_id=group.id,
            opts=self._child,
        )  # fmt: skip
        limits = elasticache.ServerlessCacheCacheUsageLimitsArgs(
            data_storage=elasticache.ServerlessCacheCacheUsageLimitsDataStorageArgs(maximum=1, unit="GB"),
            ecpu_per_seconds=[elasticache.ServerlessCacheCacheUsageLimitsEcpuPerSecondArgs(maximum=5000)],
        )
        return elasticache.ServerlessCache(
            self._name, name=self._name, engine="valkey", major_engine_version="8", cache_usage_limits=limits,
            subnet_ids=[subnet.id for subnet in self.subnets], security_group_ids=[group.id],
            user_group_id=users.user_group_id, opts=self._child,
        )  # fmt: skip

    def _network(self, *, stored: bool) -> None:
        name, child = self._name, self._child
        vpc = ec2.Vpc(name, cidr_block="10.0.0.0/16", enable_dns_support=True, enable_dns_hostnames=True, opts=child)
        ec2.DefaultSecurityGroup(name, vpc_id=vpc.id, opts=child)  # without rules: nothing is let through by default
        zones = get_availability_zones(
            state="available", opts=pulumi.InvokeOptions(parent=self),
            filters=[GetAvailabilityZonesFilterArgs(name="opt-in-status", values=["opt-in-not-required"])],  # no local zones
        ).names  # fmt: skip
        gateway = ec2.InternetGateway(name, vpc_id=vpc.id, opts=child)
        public = ec2.Subnet(
            f"{name}-public", vpc_id=vpc.id, cidr_block="10.0.0.0/24", availability_zone=zones[0], opts=child
        )
        out = self._table(f"{name}-public", vpc, [public], gateway_id=gateway.id)
        address = ec2.Eip(name, domain="vpc", opts=child)
        nat = ec2.NatGateway(
            name, allocation_id=address.id, subnet_id=public.id,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[out]),
        )  # fmt: skip
        for index, block in enumerate(SUBNETS):
            self.subnets.append(
                ec2.Subnet(
                    f"{name}-{index}", vpc_id=vpc.id, cidr_block=block, availability_zone=zones[index], opts=child
                )
            )
        table = self._table(f"{name}-private", vpc, self.subnets, nat_gateway_id=nat.id)
        if stored:
            ec2.VpcEndpoint(
                name, vpc_id=vpc.id, service_name=f"com.amazonaws.{self._region}.dynamodb",
                vpc_endpoint_type="Gateway", route_table_ids=[table.id], opts=child,
            )  # fmt: skip
        self.groups.append(
            ec2.SecurityGroup(name, description="the functions: out by TLS, nothing in", vpc_id=vpc.id, opts=child)
        )
        ec2.SecurityGroupRule(
            f"{name}-out", type="egress", protocol="tcp", from_port=443, to_port=443, cidr_blocks=["0.0.0.0/0"],
            description="cloud services, the token issuer, other APIs", security_group_id=self.groups[0].id, opts=child,
        )  # fmt: skip

    def _table(
        self, name: str, vpc: "ec2.Vpc", subnets: "list[ec2.Subnet]", **target: pulumi.Input[str]
    ) -> "ec2.RouteTable":
        routes = [ec2.RouteTableRouteArgs(cidr_block="0.0.0.0/0", **target)]
        table = ec2.RouteTable(name, vpc_id=vpc.id, routes=routes, opts=self._child)
        for index, subnet in enumerate(subnets):
            ec2.RouteTableAssociation(f"{name}-{index}", subnet_id=subnet.id, route_table_id=table.id, opts=self._child)
        return table


def user_id(text: str) -> str:
    """A name of at most 40 characters, which is what ElastiCache allows."""
    return text if len(text) <= 40 else f"{text[:31].rstrip('-')}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _open(port: int, *, security_groups: list[pulumi.Input[str]]) -> "ec2.SecurityGroupIngressArgs":
    return ec2.SecurityGroupIngressArgs(
        protocol="tcp", from_port=port, to_port=port, security_groups=security_groups, description="the functions"
    )
