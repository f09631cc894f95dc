"""`twofold:cache: redis` on both clouds: what is provisioned, who may enter, and that `none` provisions nothing of it."""

import json
from ipaddress import ip_network

import pytest

from api.manifest import SERVICE
from tests.engine.azure_rules import ALONE, together
from tests.stacks.stack import config, environments, golden, listed, started
from twofold.aws.cache import IamLogin
from twofold.bootstrap import bootstrap
from twofold.deploy.aws.cache import user_id
from twofold.settings import MARKER, Settings, marker

UNITS = {unit.role for unit in SERVICE.units}
ONLY_WITH = ("aws:elasticache", "aws:ec2", "azure-native:redisenterprise")


@pytest.fixture(scope="module")
def life(tmp_path_factory, captured, cloud):
    """A stack that has a cache and other limits, is protected, and loses it again; and one that never had one."""
    with_cache = {"cache": "redis", "limits": json.dumps({"reads": "60/minute", "anonymous": ""})}
    engine = started(tmp_path_factory.mktemp(cloud), cloud, **with_cache)
    engine.up()
    record = {"without": captured(cloud).resources, "resources": engine.resources(), "outputs": engine.outputs}
    record["again"] = engine.up()
    record["state"] = json.dumps(engine.state())
    engine.configure(config(cloud, **with_cache, protect="true"))
    engine.up()
    record["protected"] = engine.resources()
    engine.configure(config(cloud))
    engine.up()
    record["left"] = engine.resources()
    engine.close()
    return record


def test_none_provisions_nothing_of_it(life):
    for resources in (life["without"], life["left"]):
        assert not [token for token, _ in resources.values() if token.startswith(ONLY_WITH)]
        assert not any("vpcConfig" in inputs for _, inputs in resources.values())
    assert set(life["left"]) == set(life["without"]) and set(life["again"]) == {"same"}


def test_names_and_types_are_frozen(life, cloud):
    new = set(life["resources"]) - set(life["without"])
    assert listed(new) == golden(f"{cloud}-redis")


def test_every_unit_is_told_its_cache_and_the_limits(life, resources, cloud, tmp_path):
    (tmp_path / MARKER).write_text(marker("orders", "0.1.0", cloud))
    urls = {}
    for unit in environments(resources, cloud):
        settings = Settings.load(unit, SERVICE, tmp_path)
        urls[settings.role] = settings.cache_url
        assert (settings.limit_reads, settings.limit_writes, settings.limit_anonymous) == (
            "60/minute",
            "300/minute",
            "",
        )
        cache = bootstrap(settings, SERVICE).cache  # the driver takes the URL, and the login is the unit's
        assert cache.shared and cache.prefix == "orders-dev:"
        if cloud == "aws":
            login = cache.driver._logins._renew.__self__
            assert isinstance(login, IamLogin) and login._user == f"orders-dev-{settings.role}"
    assert set(urls) == UNITS and life["outputs"]["cache_url"] == urls["http"]
    if cloud == "azure":
        assert set(urls.values()) == {life["outputs"]["cache_url"]}
        cluster = resources.one("azure-native:redisenterprise:RedisEnterprise")
        assert urls["http"] == f"azureredis://{cluster['clusterName']}.westeurope.redis.azure.net:10000"
    else:
        host = "orders-dev-abc123.serverless.euc1.cache.amazonaws.com:6379"
        assert urls["feed"] == f"elasticache://{host}/eu-central-1/orders-dev/orders-dev-feed"


def test_azure_lets_one_identity_in_at_a_time_and_once_it_is_known(life, cloud):
    """Into Cosmos DB as into the cache: both lock the account, and look the identity up."""
    state = json.loads(life["state"])["resources"]
    kinds = [one["type"] for one in state if one["type"] in ALONE]
    assert len(kinds) == (2 * len(UNITS) if cloud == "azure" else 0)
    assert together(state) == (set(), set())
    loose = [one | ({"dependencies": []} if one["type"] in ALONE else {}) for one in state]
    pairs, unknown = together(loose)
    assert len(pairs) == len(kinds) / 2 * (len(UNITS) - 1) / 2 * 2 and len(unknown) == len(kinds)


def test_no_key_opens_it(life, resources, cloud):
    assert not [word for word in ("password", "primarykey") if word + '"' in life["state"].lower()]
    if cloud == "azure":
        cluster = resources.one("azure-native:redisenterprise:RedisEnterprise")
        assert cluster["minimumTlsVersion"] == "1.2" and cluster["publicNetworkAccess"] == "Enabled"
        database = resources.one("azure-native:redisenterprise:Database")
        assert database["accessKeysAuthentication"] == "Disabled" and database["clientProtocol"] == "Encrypted"
        assert database["port"] == 10000 and database["evictionPolicy"] == "AllKeysLRU"
        assignments = resources.of("azure-native:redisenterprise:AccessPolicyAssignment")
        assert {one["user"]["objectId"] for one in assignments} == {f"principal-orders-dev-{unit}" for unit in UNITS}
        assert {one["accessPolicyAssignmentName"] for one in assignments} == {unit.replace("-", "") for unit in UNITS}
    else:
        users = resources.of("aws:elasticache/user:User")
        assert {user["userId"] for user in users} == {f"orders-dev-{unit}" for unit in UNITS}
        for user in users:
            assert user["authenticationMode"] == {"type": "iam"} and user["userName"] == user["userId"]
            assert "~orders-dev:*" in user["accessString"] and "-@dangerous" in user["accessString"]
        group = resources.one("aws:elasticache/userGroup:UserGroup")
        assert set(group["userIds"]) == {user["userId"] for user in users}
        cache = resources.one("aws:elasticache/serverlessCache:ServerlessCache")
        assert cache["userGroupId"] == group["userGroupId"] and cache["engine"] == group["engine"] == "valkey"
        assert cache["cacheUsageLimits"]["dataStorage"]["maximum"] == 1  # what it may cost is bounded


def test_whether_it_is_replicated_is_chosen_when_it_is_made(life, resources, cloud):
    """Of one that begins protected: tests/policy/test_least_privilege.py."""
    if cloud == "azure":
        for stage in ("resources", "protected"):
            cluster = life[stage].one("azure-native:redisenterprise:RedisEnterprise")
            assert cluster["highAvailability"] == "Disabled"
    else:  # a serverless cache always is
        assert len(resources.one("aws:elasticache/serverlessCache:ServerlessCache")["subnetIds"]) == 2


@pytest.mark.parametrize("cloud", ["aws"], indirect=True)
def test_functions_reach_the_cache_and_everything_else_from_inside_the_vpc(resources):
    """Azure's units have no network of their own."""
    subnets = {f"/aws:ec2/subnet:Subnet/{name}": one for name, one in resources.named("aws:ec2/subnet:Subnet").items()}
    private = {subnet_id for subnet_id in subnets if not subnet_id.endswith("-public")}
    groups = resources.named("aws:ec2/securityGroup:SecurityGroup")
    [functions_group] = [name for name, one in groups.items() if "ingress" not in one]
    for function in resources.of("aws:lambda/function:Function"):
        assert set(function["vpcConfig"]["subnetIds"]) == private
        assert function["vpcConfig"]["securityGroupIds"] == [f"/aws:ec2/securityGroup:SecurityGroup/{functions_group}"]
    blocks = [ip_network(one["cidrBlock"]) for one in subnets.values()]
    assert len({subnets[subnet_id]["availabilityZone"] for subnet_id in private}) == 2
    assert all(block.subnet_of(ip_network("10.0.0.0/16")) for block in blocks)
    assert not any(a.overlaps(b) for n, a in enumerate(blocks) for b in blocks[n + 1 :])
    # From the private subnets to the NAT gateway, from its own to the Internet.
    tables = resources.named("aws:ec2/routeTable:RouteTable")
    assert {name: sorted(*one["routes"]) for name, one in tables.items()} == {
        "orders-dev-public": ["cidrBlock", "gatewayId"], "orders-dev-private": ["cidrBlock", "natGatewayId"],
    }  # fmt: skip
    associated = {}
    for one in resources.of("aws:ec2/routeTableAssociation:RouteTableAssociation"):
        associated.setdefault(one["routeTableId"].split("/")[-1], set()).add(one["subnetId"])
    assert associated["orders-dev-private"] == private and len(associated["orders-dev-public"]) == 1
    assert {resources.one("aws:ec2/natGateway:NatGateway")["subnetId"]} == associated["orders-dev-public"]
    endpoint = resources.one("aws:ec2/vpcEndpoint:VpcEndpoint")
    assert endpoint["serviceName"] == "com.amazonaws.eu-central-1.dynamodb" and endpoint["vpcEndpointType"] == "Gateway"
    assert [subnet_id.split("/")[-1] for subnet_id in endpoint["routeTableIds"]] == ["orders-dev-private"]


@pytest.mark.parametrize("cloud", ["aws"], indirect=True)
def test_the_cache_lets_in_the_functions_alone(resources):
    [cache] = [one for one in resources.of("aws:ec2/securityGroup:SecurityGroup") if "ingress" in one]
    [rule] = cache["ingress"]
    assert (rule["fromPort"], rule["toPort"], "cidrBlocks" in rule) == (6379, 6379, False)
    assert [group_id.split("/")[-1] for group_id in rule["securityGroups"]] == ["orders-dev"]
    rules = resources.of("aws:ec2/securityGroupRule:SecurityGroupRule")
    assert {(one["type"], one["fromPort"], one["toPort"]) for one in rules} == {
        ("egress", 443, 443),
        ("egress", 6379, 6379),
    }
    default = resources.one("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup")
    assert not {"ingress", "egress"} & set(default)


@pytest.mark.parametrize("cloud", ["aws"], indirect=True)
def test_a_role_may_enter_as_its_own_user_and_its_code_has_no_network_permission(resources):
    policies = resources.named("aws:iam/rolePolicy:RolePolicy")
    for unit in UNITS:
        statements = json.loads(policies[f"orders-dev-{unit}"]["policy"])["Statement"]
        [connect] = [one for one in statements if one["Action"] == ["elasticache:Connect"]]
        assert sorted(arn.split(":")[-1] for arn in connect["Resource"]) == ["orders-dev", f"orders-dev-{unit}"]
        allow, deny = [one for one in statements if "ec2:CreateNetworkInterface" in one["Action"]]
        assert (allow["Effect"], deny["Effect"]) == ("Allow", "Deny") and allow["Action"] == deny["Action"]
        arn = f"arn:aws:lambda:eu-central-1:123456789012:function:orders-dev-{unit}"
        assert deny["Condition"] == {"ArnEquals": {"lambda:SourceFunctionArn": [arn]}}


def test_a_long_name_still_makes_a_user():
    long = "a-service-with-a-long-name-production-a-worker-with-a-name"
    assert user_id("orders-dev-http") == "orders-dev-http"
    assert len(user_id(long)) <= 40 and user_id(long) != user_id(long + "x") and "--" not in user_id(long)
