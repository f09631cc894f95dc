"""`twofold:network` and `twofold:subnets` on both clouds: what is provisioned, what is reached how, and that data stays."""

import json
from ipaddress import ip_network

import pytest
from pulumi import automation

from api.manifest import SERVICE
from tests.stacks.options import NETWORK, ON
from tests.stacks.stack import DATA, config, golden, listed, started

NETWORKED = ("aws:ec2", "azure-native:network", "azure-native:privatedns")
AZURE, AWS = (pytest.mark.parametrize("cloud", [one], indirect=True) for one in ("azure", "aws"))
SUBNETS = {cloud: ON[cloud]["subnets"] for cloud in ("aws", "azure")}


@pytest.fixture(scope="module")
def life(tmp_path_factory, cloud):
    """A stack without a network that gets one of its own, then one that exists, with a cache in it, and loses it again."""
    engine = started(tmp_path_factory.mktemp(cloud), cloud)
    engine.up()
    record = {"without": engine.resources()}
    for stage, changed in (
        ("own", {"network": "private", "cache": "redis"}),
        ("existing", {"network": "private", "cache": "redis", "subnets": SUBNETS[cloud]}),
        ("left", {}),
    ):
        engine.configure(config(cloud, **changed))
        engine.up()
        record[stage] = engine.resources()
        if stage == "own":
            record["state"] = engine.state()["resources"]
    record["deleted"] = set(engine.standin.deleted)
    engine.close()
    return record


def test_none_provisions_nothing_of_it(life):
    for stage in ("without", "left"):
        assert not [token for token, _ in life[stage].values() if token.startswith(NETWORKED)]
        assert not any({"vpcConfig", "virtualNetworkSubnetId"} & set(inputs) for _, inputs in life[stage].values())
    assert set(life["left"]) == set(life["without"])


def test_no_switch_replaces_data(life):
    data = {urn for urn, (token, _) in life["without"].items() if token in DATA}
    assert len(data) > 4 and not data & life["deleted"]
    assert all(data <= set(life[stage]) for stage in ("own", "existing", "left"))


def test_names_and_types_are_frozen(life, cloud):
    new = {urn for urn in set(life["own"]) - set(life["without"]) if urn.split("$")[-1].startswith(NETWORKED)}
    assert listed(new) == golden(f"{cloud}-private")


def test_every_unit_runs_in_the_network(life, cloud):
    if cloud == "aws":
        functions = life["own"].of("aws:lambda/function:Function")
        own = {f"/aws:ec2/subnet:Subnet/orders-dev-{index}" for index in (0, 1)}
        assert len(functions) == len(SERVICE.units)
        assert all(set(one["vpcConfig"]["subnetIds"]) == own for one in functions)
        existing = life["existing"].of("aws:lambda/function:Function")
        assert all(one["vpcConfig"]["subnetIds"] == SUBNETS["aws"].split(",") for one in existing)
    else:
        vnet = "/azure-native:network:VirtualNetwork/orders-dev"
        apps = life["own"].of("azure-native:web:WebApp")
        assert len(apps) == len(SERVICE.units)
        assert {one["virtualNetworkSubnetId"] for one in apps} == {f"{vnet}/subnets/apps"}
        existing = life["existing"].of("azure-native:web:WebApp")
        assert {one["virtualNetworkSubnetId"] for one in existing} == {SUBNETS["azure"].split(",")[0]}


@AZURE
def test_data_has_private_addresses_alone(life):
    """AWS has no such switch: its services' addresses are public, and IAM closes them."""
    switches = {
        "azure-native:cosmosdb:DatabaseAccount": lambda one: one["publicNetworkAccess"],
        "azure-native:keyvault:Vault": lambda one: one["properties"]["publicNetworkAccess"].title(),
        "azure-native:eventgrid:Topic": lambda one: one["publicNetworkAccess"],
        "azure-native:redisenterprise:RedisEnterprise": lambda one: one["publicNetworkAccess"],
    }
    for stage, access in (("without", "Enabled"), ("own", "Disabled"), ("existing", "Disabled"), ("left", "Enabled")):
        switched = {token: {read(one) for one in life[stage].of(token)} for token, read in switches.items()}
        assert set().union(*switched.values()) == {access}
        queues = life[stage].named("azure-native:storage:StorageAccount")["orders-dev-queues"]
        action = {"Enabled": "Allow", "Disabled": "Deny"}[access]
        assert (queues["publicNetworkAccess"], queues["networkRuleSet"]["defaultAction"]) == (access, action)
        vault = life[stage].one("azure-native:keyvault:Vault")
        assert vault["properties"]["networkAcls"]["defaultAction"] == action
    # Packages and the host's leases, no data; the deployer's login puts artifacts there.
    for account in ("orders-dev", "orders-dev-code"):
        assert "publicNetworkAccess" not in life["own"].named("azure-native:storage:StorageAccount")[account]


@AZURE
def test_every_service_has_an_endpoint_whose_name_is_in_a_zone_of_the_network(life):
    zones = {
        "Sql": "privatelink.documents.azure.com", "vault": "privatelink.vaultcore.azure.net",
        "blob": "privatelink.blob.core.windows.net", "queue": "privatelink.queue.core.windows.net",
        "topic": "privatelink.eventgrid.azure.net", "redisEnterprise": "privatelink.redis.azure.net",
    }  # fmt: skip
    reached = [
        ("Sql", "cosmosdb:DatabaseAccount/orders-dev"), ("blob", "storage:StorageAccount/orders-dev"),
        ("blob", "storage:StorageAccount/orders-dev-code"), ("queue", "storage:StorageAccount/orders-dev-queues"),
        ("redisEnterprise", "redisenterprise:RedisEnterprise/orders-dev"), ("topic", "eventgrid:Topic/orders-dev"),
        ("vault", "keyvault:Vault/orders-dev"),
    ]  # fmt: skip
    vnet = "/azure-native:network:VirtualNetwork/orders-dev"
    for stage, subnet in (("own", f"{vnet}/subnets/endpoints"), ("existing", SUBNETS["azure"].split(",")[1])):
        endpoints = life[stage].of("azure-native:network:PrivateEndpoint")
        links = [one["privateLinkServiceConnections"][0] for one in endpoints]
        assert sorted((link["groupIds"][0], link["privateLinkServiceId"]) for link in links) == [
            (kind, f"/azure-native:{resource}") for kind, resource in reached
        ]
        assert {one["subnet"]["id"] for one in endpoints} == {subnet}
        for group in life[stage].of("azure-native:network:PrivateDnsZoneGroup"):
            [entry] = group["privateDnsZoneConfigs"]
            zone = zones[entry["name"]]
            own = f"/azure-native:privatedns:PrivateZone/orders-dev-{zone}"
            assert entry["privateDnsZoneId"] == (own if stage == "own" else f"{NETWORK}/privateDnsZones/{zone}")
            assert group["privateEndpointName"].endswith(entry["name"])
        assert len(life[stage].of("azure-native:network:PrivateDnsZoneGroup")) == len(reached)
    links = life["own"].of("azure-native:privatedns:VirtualNetworkLink")
    assert {link["privateZoneName"] for link in links} == set(zones.values())
    assert all(link["virtualNetwork"] == {"id": vnet} for link in links)
    kinds = {token for token, _ in life["existing"].values() if token.startswith(NETWORKED)}
    assert kinds == {"azure-native:network:PrivateEndpoint", "azure-native:network:PrivateDnsZoneGroup"}


@AZURE
def test_an_app_waits_for_the_endpoints_and_goes_out_by_one_address(life):
    vnet = life["own"].one("azure-native:network:VirtualNetwork")
    apps, endpoints = vnet["subnets"]
    assert [one["serviceName"] for one in apps["delegations"]] == ["Microsoft.App/environments"]
    assert apps["natGateway"] == {"id": "/azure-native:network:NatGateway/orders-dev"}
    assert not endpoints["defaultOutboundAccess"] and "_" not in apps["name"]
    blocks = [ip_network(one["addressPrefix"]) for one in (apps, endpoints)]
    [space] = vnet["addressSpace"]["addressPrefixes"]
    assert all(block.subnet_of(ip_network(space)) for block in blocks) and not blocks[0].overlaps(blocks[1])
    for app in (one for one in life["state"] if one["type"] == "azure-native:web:WebApp"):
        waited = {urn.rpartition("::")[2] for urn in app["dependencies"] if "$azure-native:network:PrivateDns" in urn}
        assert waited == {
            f"orders-dev-{kind}"
            for kind in ("Sql", "vault", "blob", "code-blob", "queues-queue", "topic", "redisEnterprise")
        }


@AZURE
def test_an_account_is_let_at_once_its_parts_are_made(life):
    """It is locked while one of them writes it: the first role waits for all, the others for the first."""
    kind = "azure-native:cosmosdb:SqlResourceSql"
    roles = [one for one in life["state"] if one["type"] == f"{kind}RoleAssignment"]
    parts = {one["urn"] for one in life["state"] if one["type"] in (f"{kind}Database", f"{kind}Container")}
    parts |= {one["urn"] for one in life["state"] if one["urn"].endswith("PrivateDnsZoneGroup::orders-dev-Sql")}
    others = {role["urn"] for role in roles}
    first = [set(role["dependencies"]) for role in roles if not others & set(role["dependencies"])]
    assert len(parts) > 3 and len(first) == 1 and parts <= first[0]


@AWS
def test_aws_reaches_data_without_the_internet(life):
    endpoints = life["own"].named("aws:ec2/vpcEndpoint:VpcEndpoint")
    services = {one["serviceName"].rpartition(".")[2]: one["vpcEndpointType"] for one in endpoints.values()}
    assert services == {"dynamodb": "Gateway", "sqs": "Interface", "secretsmanager": "Interface", "events": "Interface"}
    private = {f"/aws:ec2/subnet:Subnet/orders-dev-{index}" for index in (0, 1)}
    groups = life["own"].named("aws:ec2/securityGroup:SecurityGroup")
    for one in endpoints.values():
        if one["vpcEndpointType"] == "Interface":
            assert one["privateDnsEnabled"] is True and set(one["subnetIds"]) == private
            assert one["securityGroupIds"] == ["/aws:ec2/securityGroup:SecurityGroup/orders-dev-endpoints"]
    [rule] = groups["orders-dev-endpoints"]["ingress"]
    assert (rule["fromPort"], rule["toPort"], "cidrBlocks" in rule) == (443, 443, False)
    assert rule["securityGroups"] == ["/aws:ec2/securityGroup:SecurityGroup/orders-dev"]


@AWS
def test_an_existing_vpc_gets_groups_and_nothing_else(life):
    kinds = {token for token, _ in life["existing"].values() if token.startswith(NETWORKED)}
    assert kinds == {"aws:ec2/securityGroup:SecurityGroup", "aws:ec2/securityGroupRule:SecurityGroupRule"}
    groups = life["existing"].of("aws:ec2/securityGroup:SecurityGroup")
    assert {group["vpcId"] for group in groups} == {"vpc-0"}
    cache = life["existing"].one("aws:elasticache/serverlessCache:ServerlessCache")
    assert cache["subnetIds"] == SUBNETS["aws"].split(",")


@pytest.mark.parametrize("subnets", ["subnet-0aaaaaaa0,subnet-1aaaaaaa1", "subnet-0aaaaaaa0,subnet-0aaaaaaa3"])
def test_subnets_of_two_vpcs_or_of_one_zone_are_refused(tmp_path, subnets):
    engine = started(tmp_path, "aws", network="private", subnets=subnets)
    with pytest.raises(automation.CommandError, match="must lie in one VPC and in two zones or more") as refused:
        engine.preview()
    engine.close()
    assert "Traceback" not in str(refused.value) and subnets.split(",")[1] in str(refused.value)


def test_a_vpc_that_was_the_caches_moves_without_being_touched(tmp_path):
    """As the state of a stack from before there was a network of its own has it."""
    engine = started(tmp_path, "aws", cache="redis")
    engine.up()
    vpc = {urn for urn, (token, _) in engine.standin.resources.items() if token.startswith("aws:ec2")}
    exported = engine.stack.export_stack()
    state = json.loads(json.dumps(exported.deployment).replace("twofold:aws:Network", "twofold:aws:Cache"))
    seen = set()
    state["resources"] = [one for one in state["resources"] if not (one["urn"] in seen or seen.add(one["urn"]))]
    engine.stack.import_stack(automation.Deployment(exported.version, state))
    changes = engine.up()
    engine.close()
    assert len(vpc) > 15 and engine.standin.deleted == set()
    assert set(changes) <= {"same", "create"} and changes.get("create") == 1  # the component itself
