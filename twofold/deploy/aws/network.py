"""The units' network: a VPC of the service's own, or subnets that exist.

Units need one for the cache, which has no address outside a VPC, and where `twofold:network private` asks for it. From there they
reach DynamoDB by a gateway endpoint, which costs nothing; with `private` also queues, secrets and the event bus by interface
endpoints; and the rest by one NAT gateway, since token issuers' keys and other APIs are on the Internet. Logs leave by
Lambda itself, not from the VPC. Subnets that exist have routes and endpoints of their owner's: only groups are added there.
"""

import pulumi
from pulumi_aws import GetAvailabilityZonesFilterArgs, ec2, get_availability_zones

from twofold.deploy.config import ConfigError, StackConfig
from twofold.manifest import ServiceManifest

# pulumi_aws loads ec2 at its first use, 70 MB of it: so it is quoted where it would be used without a network.
BLOCK = "10.0.0.0/16"
SUBNETS = ("10.0.16.0/20", "10.0.32.0/20")
"""Two zones, as a serverless cache wants; 4,091 addresses each."""
INTERFACE_ACTIONS = [
    "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets",
    "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses",
]  # fmt: skip


class Network(pulumi.ComponentResource):
    """Nothing without a cache and with `twofold:network none`. `subnets` and `groups` are ids: where the functions run."""

    def __init__(
        self, name: str, *, manifest: ServiceManifest, config: StackConfig, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("twofold:aws:Network", name, None, opts)
        self._name, self._manifest, self._region = name, manifest, config.region
        # Until 0.1.0 the network was the cache's.
        cache = pulumi.Alias(parent=pulumi.create_urn(name, "twofold:aws:Cache"))
        self._child = pulumi.ResourceOptions(parent=self, aliases=[cache])
        self.vpc: pulumi.Input[str] | None = None
        self.subnets: list[pulumi.Input[str]] = []
        self.groups: list[pulumi.Input[str]] = []
        if config.network == "private" or config.cache == "redis":
            if config.subnets:
                self.vpc, self.subnets = self._vpc_of(config.subnets), [*config.subnets]
            else:
                table = self._make()
            self.groups.append(self._functions_group())
            if not config.subnets and config.network == "private":
                self._interface_endpoints()
            if not config.subnets and manifest.blocks:
                ec2.VpcEndpoint(
                    name, vpc_id=self.vpc, service_name=f"com.amazonaws.{self._region}.dynamodb",
                    vpc_endpoint_type="Gateway", route_table_ids=[table.id], opts=self._child,
                )  # fmt: skip
        self.register_outputs({})

    def statements(self, role: pulumi.Output[str], function: str) -> list[dict[str, object]]:
        """What Lambda needs of a unit's role (its ARN), but the function's code is denied: its network interfaces."""
        if not self.subnets:
            return []
        arn = role.apply(
            lambda arn: f"{arn.rpartition(':iam')[0]}:lambda:{self._region}:{arn.split(':')[4]}:function:{function}"
        )
        return [
            # Describing and creating interfaces has no resource-level permission that Lambda would work with.
            {"actions": INTERFACE_ACTIONS, "resources": ["*"]},
            {
                "effect": "Deny", "actions": INTERFACE_ACTIONS, "resources": ["*"],
                "condition": {"ArnEquals": {"lambda:SourceFunctionArn": [arn]}},
            },
        ]  # fmt: skip

    def _vpc_of(self, subnets: tuple[str, ...]) -> str:
        members = [ec2.get_subnet(id=subnet_id, opts=pulumi.InvokeOptions(parent=self)) for subnet_id in subnets]
        if len({subnet.vpc_id for subnet in members}) > 1 or len({subnet.availability_zone for subnet in members}) < 2:
            places = ", ".join(f"{one.id} in {one.vpc_id}, {one.availability_zone}" for one in members)
            raise ConfigError(f"twofold:subnets must lie in one VPC and in two zones or more; they are: {places}")
        return members[0].vpc_id

    def _make(self) -> "ec2.RouteTable":
        name, child = self._name, self._child
        vpc = ec2.Vpc(name, cidr_block=BLOCK, enable_dns_support=True, enable_dns_hostnames=True, opts=child)
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
            opts=pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(depends_on=[out])),
        )  # fmt: skip
        private = [
            ec2.Subnet(f"{name}-{index}", vpc_id=vpc.id, cidr_block=block, availability_zone=zones[index], opts=child)
            for index, block in enumerate(SUBNETS)
        ]
        self.vpc, self.subnets = vpc.id, [subnet.id for subnet in private]
        return self._table(f"{name}-private", vpc, private, nat_gateway_id=nat.id)

    def _functions_group(self) -> pulumi.Output[str]:
        name, child = self._name, self._child
        group = ec2.SecurityGroup(
            name, description="the functions: out by TLS, nothing in", vpc_id=self.vpc, opts=child
        )
        ec2.SecurityGroupRule(
            f"{name}-out", type="egress", protocol="tcp", from_port=443, to_port=443, cidr_blocks=["0.0.0.0/0"],
            description="cloud services, the token issuer, other APIs", security_group_id=group.id, opts=child,
        )  # fmt: skip
        return group.id

    def _interface_endpoints(self) -> None:
        uses = {
            "sqs": self._manifest.queues,
            "secretsmanager": self._manifest.secrets,
            "events": self._manifest.publishes,
        }
        services = [service for service, used in uses.items() if used]
        if not services:
            return
        assert self.vpc is not None
        ingress = open_to(443, self.groups, "the functions")
        group = ec2.SecurityGroup(
            f"{self._name}-endpoints", description="endpoints: from the functions alone", vpc_id=self.vpc,
            ingress=[ingress], opts=self._child,
        )  # fmt: skip
        for service in services:
            ec2.VpcEndpoint(
                f"{self._name}-{service}", vpc_id=self.vpc, service_name=f"com.amazonaws.{self._region}.{service}",
                vpc_endpoint_type="Interface", private_dns_enabled=True, subnet_ids=self.subnets,
                security_group_ids=[group.id], opts=self._child,
            )  # fmt: skip

    def _table(
        self, name: str, vpc: "ec2.Vpc", subnets: "list[ec2.Subnet]", **target: pulumi.Input[str]
    ) -> "ec2.RouteTable":
        routes = [ec2.RouteTableRouteArgs(cidr_block="0.0.0.0/0", **target)]
        table = ec2.RouteTable(name, vpc_id=vpc.id, routes=routes, opts=self._child)
        for index, subnet in enumerate(subnets):
            ec2.RouteTableAssociation(f"{name}-{index}", subnet_id=subnet.id, route_table_id=table.id, opts=self._child)
        return table


def open_to(port: int, groups: list[pulumi.Input[str]], description: str) -> "ec2.SecurityGroupIngressArgs":
    """A group's rule that lets these groups in on one port."""
    return ec2.SecurityGroupIngressArgs(
        protocol="tcp", from_port=port, to_port=port, security_groups=groups, description=description
    )
