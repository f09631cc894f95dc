"""The units' network (`twofold:network private`): a virtual network of the service's own, or two subnets that exist.

The apps send everything through it: to the service's data by private endpoints, whose public addresses are then off, and to the
rest by a NAT gateway, since the token issuer's keys and other services' APIs are on the Internet. Subnets that exist have routes of
their owner's, and their network's resource group has the private DNS zones (`ZONES`), linked to it: a network can be linked to
one zone of a name, which all services in it share.
"""

import pulumi

from twofold.deploy.config import StackConfig

# Loaded where there is a network: azure-native's network module alone takes a second.
BLOCK, APPS, ENDPOINTS = "10.0.0.0/16", "10.0.16.0/24", "10.0.32.0/24"
ZONES = {
    "Sql": "privatelink.documents.azure.com",
    "vault": "privatelink.vaultcore.azure.net",
    "blob": "privatelink.blob.core.windows.net",
    "queue": "privatelink.queue.core.windows.net",
    "topic": "privatelink.eventgrid.azure.net",
    "redisEnterprise": "privatelink.redis.azure.net",
}
"""What an endpoint leads to, and the zone that its name is in."""


class Network(pulumi.ComponentResource):
    """Nothing with `twofold:network none`. `apps_subnet` is where the apps run, None without a network.

    `endpoints` are resources without which an app does not reach its data.
    """

    def __init__(
        self, name: str, *, config: StackConfig, group: pulumi.Input[str], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("twofold:azure:Network", name, None, opts)
        self._name, self._group, self._location = name, group, config.region
        self._child = pulumi.ResourceOptions(parent=self)
        self._vnet: pulumi.Output[str] | None = None
        self._zones: dict[str, pulumi.Input[str]] = {}
        self.private = config.network == "private"
        self.apps_subnet: pulumi.Input[str] | None = None
        self._endpoints_subnet: pulumi.Input[str] | None = None
        self.endpoints: list[pulumi.Resource] = []
        if self.private and config.subnets:
            self.apps_subnet, self._endpoints_subnet = config.subnets
            shared = config.subnets[0].partition("/providers/")[0]
            self._zones = {
                zone: f"{shared}/providers/Microsoft.Network/privateDnsZones/{zone}" for zone in ZONES.values()
            }
        elif self.private:
            self._make()
        self.register_outputs({})

    def endpoint(self, name: str, resource: pulumi.Input[str], kind: str) -> None:
        """Gives a resource a private address, which its name then has in the network; `kind` is of `ZONES`."""
        if not self.private:
            return
        from pulumi_azure_native import network

        # The subnet of an endpoint can't be changed, and its name is the same: the old one goes first.
        moved = pulumi.ResourceOptions(replace_on_changes=["subnet"], delete_before_replace=True)
        link = network.PrivateLinkServiceConnectionArgs(name=kind, private_link_service_id=resource, group_ids=[kind])
        endpoint = network.PrivateEndpoint(
            f"{name}-{kind}", private_endpoint_name=f"{name}-{kind}", resource_group_name=self._group,
            location=self._location, subnet=network.SubnetArgs(id=self._endpoints_subnet),
            private_link_service_connections=[link], opts=pulumi.ResourceOptions.merge(self._child, moved),
        )  # fmt: skip
        zone = network.PrivateDnsZoneConfigArgs(name=kind, private_dns_zone_id=self._zone(ZONES[kind]))
        self.endpoints.append(
            network.PrivateDnsZoneGroup(
                f"{name}-{kind}", private_dns_zone_group_name="default", private_endpoint_name=endpoint.name,
                resource_group_name=self._group, private_dns_zone_configs=[zone], opts=self._child,
            )
        )  # fmt: skip

    def _make(self) -> None:
        from pulumi_azure_native import network

        name, group, child = self._name, self._group, self._child
        address = network.PublicIPAddress(
            name, public_ip_address_name=name, resource_group_name=group, location=self._location,
            public_ip_allocation_method="Static", sku=network.PublicIPAddressSkuArgs(name="Standard"), opts=child,
        )  # fmt: skip
        nat = network.NatGateway(
            name, nat_gateway_name=name, resource_group_name=group, location=self._location,
            sku=network.NatGatewaySkuArgs(name="Standard"),
            public_ip_addresses=[network.SubResourceArgs(id=address.id)], opts=child,
        )  # fmt: skip
        apps = network.SubnetArgs(
            name="apps", address_prefix=APPS,
            nat_gateway=network.SubResourceArgs(id=nat.id),
            delegations=[network.DelegationArgs(name="apps", service_name="Microsoft.App/environments")],
        )  # fmt: skip
        endpoints = network.SubnetArgs(name="endpoints", address_prefix=ENDPOINTS, default_outbound_access=False)
        # The subnets are in it, since two requests at once about one network fail.
        vnet = network.VirtualNetwork(
            name, virtual_network_name=name, resource_group_name=group, location=self._location,
            address_space=network.AddressSpaceArgs(address_prefixes=[BLOCK]), subnets=[apps, endpoints], opts=child,
        )  # fmt: skip
        self._vnet = vnet.id
        self.apps_subnet = pulumi.Output.concat(vnet.id, "/subnets/apps")
        self._endpoints_subnet = pulumi.Output.concat(vnet.id, "/subnets/endpoints")

    def _zone(self, zone: str) -> pulumi.Input[str]:
        if zone not in self._zones:
            from pulumi_azure_native import privatedns

            private_zone = privatedns.PrivateZone(
                f"{self._name}-{zone}", private_zone_name=zone, resource_group_name=self._group, location="Global",
                opts=self._child,
            )  # fmt: skip
            self.endpoints.append(
                privatedns.VirtualNetworkLink(
                    f"{self._name}-{zone}", virtual_network_link_name=self._name, private_zone_name=private_zone.name,
                    resource_group_name=self._group, location="Global", registration_enabled=False,
                    virtual_network=privatedns.SubResourceArgs(id=self._vnet), opts=self._child,
                )
            )  # fmt: skip
            self._zones[zone] = private_zone.id
        return self._zones[zone]


def public_access(network: Network | None) -> str:
    """Whether a service that has a private endpoint in this network still has a public address, in its API's words."""
    return "Disabled" if network is not None and network.private else "Enabled"
