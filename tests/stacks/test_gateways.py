"""Who is let in: both gateways refuse and allow the same calls, for every operation and every kind of caller."""

import copy
import itertools
import json

import pytest

from tests.engine.answers import EDGE_VALUE, FRONT_DOOR_ID
from tests.stacks import apim_policy
from tests.stacks.captured import Captured
from tests.stacks.gateways import ApiManagement, Call, HttpApi
from tests.stacks.stack import ROOT, program_in
from twofold.deploy.azure.health import FRONT_DOOR
from twofold.deploy.config import ConfigError
from twofold.deploy.routes import operations

API_MANAGEMENT = "azure-native:apimanagement:ApiManagementService"
OWN = json.loads((ROOT / "openapi.json").read_text())
OPEN = {"/docs", "/docs/oauth2-redirect", "/openapi.json", "/health/live", "/health/ready"}


def extended_document():
    """The service's document with every form that a requirement may have."""
    document = copy.deepcopy(OWN)
    paths = document["paths"]
    document["security"] = [{"oidc": ["orders.read"]}]
    for item in paths.values():
        for operation in item.values():
            operation.pop("security", None)
    paths["/orders"]["post"]["security"] = [{"oidc": ["orders.write"]}]
    paths["/orders/{order_id}/shipment"]["post"]["security"] = [{"oauth2": ["orders.ship"]}, {"oidc": ["orders.admin"]}]
    paths["/orders/{order_id}/payment"]["post"]["security"] = [{"oidc": []}]
    paths["/orders/{order_id}/cancellation"]["post"]["security"] = []
    paths["/orders/{order_id}/events"]["get"]["security"] = [{}, {"oidc": ["orders.read"]}]
    # Required in the query: API Management would make it part of the route.
    paths["/customers/{customer_id}/orders"]["get"]["parameters"][1]["required"] = True
    return document


def documented(folder, cloud, document, **changed):
    """A stack of this repository's service with another OpenAPI document."""
    root = folder / "root"
    root.mkdir()
    (root / "openapi.json").write_text(json.dumps(document))
    return Captured(folder, cloud, program_in(root, cloud), **changed)


@pytest.fixture(scope="module", params=[pytest.param("own", marks=pytest.mark.deep), "made"])
def document(request):
    return OWN if request.param == "own" else extended_document()


@pytest.fixture(scope="module")
def gates(document, tmp_path_factory):
    folder = tmp_path_factory.mktemp
    return {
        "aws": HttpApi(documented(folder("aws"), "aws", document)),
        "azure": ApiManagement.of(documented(folder("azure"), "azure", document)),
    }


def needed(document, path, operation):
    """What the document asks of a caller: None for nothing, else the scopes of which one is enough. Read here anew."""
    requirements = operation.get("security", document.get("security"))
    if path in OPEN or requirements == [] or (requirements and {} in requirements):
        return None
    lists = [scopes for requirement in requirements or [{"any": []}] for scopes in requirement.values()]
    return set() if [] in lists else {scope for scopes in lists for scope in scopes}


def callers(scopes):
    """Every kind of caller, and what it gets of an operation that asks for one of `scopes` (None: for nothing)."""
    is_open, one = scopes is None, sorted(scopes or {"orders.read"})[0]
    lacking = 200 if not scopes else 403
    yield "anonymous", {}, 200 if is_open else 401
    yield "a bad token", {"claims": {"scope": one}, "valid": False}, 200 if is_open else 401
    yield "a token without scopes", {"claims": {"sub": "c-1"}}, lacking
    yield "a token with another scope", {"claims": {"scope": f"x{one} other {one}.more"}}, lacking
    for scope in sorted(scopes or ()):
        yield f"scope {scope}", {"claims": {"scope": f"openid {scope}"}}, 200
        yield f"scp {scope}", {"claims": {"scp": [scope, "email"]}}, 200
    yield "scp as text", {"claims": {"scp": f"{one} profile"}}, 200


def test_both_clouds_refuse_and_allow_the_same_calls(document, gates):
    table = 0
    paths = {**document["paths"], **{path: {"get": {"security": []}} for path in OPEN - set(document["paths"])}}
    for path, item in paths.items():
        for method, operation in item.items():
            real = path.replace("{order_id}", "o-1").replace("{customer_id}", "c-1")
            for caller, arguments, expected in callers(needed(document, path, operation)):
                answers = {cloud: gate.answer(Call(method.upper(), real, **arguments)) for cloud, gate in gates.items()}
                assert answers == {"aws": expected, "azure": expected}, (method, path, caller)
                table += 1
    assert table >= 60


def test_what_is_no_route_never_reaches_the_service(gates):
    strangers = [("GET", "/"), ("GET", "/orders"), ("DELETE", "/orders/o-1"), ("GET", "/docs/x"), ("GET", "/openapi-json"),
                 ("POST", "/health/live"), ("GET", "/health"), ("GET", "/orders/o-1/events/1")]  # fmt: skip
    for (method, path), (cloud, gate) in itertools.product(strangers, gates.items()):
        assert gate.answer(Call(method, path, {"scope": "orders.read orders.write"})) == 404, (cloud, method, path)


def test_a_preflight_reaches_the_service_without_a_token(gates):
    assert {gate.answer(Call("OPTIONS", "/orders/o-1/payment")) for gate in gates.values()} == {200}


def test_what_only_one_of_them_can_do(gates):
    """The declared differences: docs/design/gateways.md."""
    route = next(o for o in operations(extended_document()) if o.scopes == ("orders.write",))
    entra = Call(route.method, route.path, {"roles": ["orders.write"]})
    if gates["aws"].routes["POST", "/orders"].get("authorizationScopes"):
        assert (gates["aws"].answer(entra), gates["azure"].answer(entra)) == (403, 200)
    large = Call("POST", "/orders", {"scope": "orders.write"}, bytes=3 * 1024 * 1024 + 1)
    assert (gates["aws"].answer(large), gates["azure"].answer(large)) == (200, 413)  # on AWS the service says so


def test_one_authorizer_serves_all_routes(gates):
    assert gates["aws"].authorizers == 1  # many of them hang: pulumi-aws-apigateway#17


def test_both_tokens_travel(gates):
    spoofed = {
        "X-Twofold-Authorization": "Bearer forged",
        "X-Forwarded-For": "6.6.6.6",
        "X-MS-CLIENT-PRINCIPAL-ID": "me",
    }
    claims = {"scope": "orders.read orders.write"}
    status, headers = gates["azure"].run(Call("GET", "/orders/o-1", claims, headers=spoofed))
    assert status == 200
    assert (
        headers["Authorization"] == "Bearer the-gateways" and headers["X-Twofold-Authorization"] == "Bearer the-users"
    )
    assert headers["X-Forwarded-For"] == "203.0.113.9" and "X-MS-CLIENT-PRINCIPAL-ID" not in headers
    _, anonymous = gates["azure"].run(Call("GET", "/health/live", headers=spoofed))
    assert anonymous["X-Twofold-Authorization"] == "" and anonymous["Authorization"] == "Bearer the-gateways"


def test_a_refusal_says_what_it_wants(gates):
    """RFC 6750, section 3."""
    call = Call("GET", "/orders/o-1")
    assert gates["azure"].run(call) == (401, {"Content-Type": "application/problem+json", "WWW-Authenticate": "Bearer"})
    _, headers = gates["azure"].run(Call("GET", "/orders/o-1", {"sub": "c"}, valid=False))
    assert headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


def test_a_missing_scope_is_named(gates):
    status, headers = gates["azure"].run(Call("POST", "/orders", {"scope": "orders.read"}))
    assert (status, headers["WWW-Authenticate"]) == (403, 'Bearer error="insufficient_scope", scope="orders.write"')


COGNITO = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Ab1Cd2Ef3"


def test_cognitos_clients_and_scopes_are_known_to_both(captured):
    """Its access tokens have `client_id` for `aud`, and the resource server's name before each scope."""
    gates = {
        cloud: gate(captured(cloud, oidcIssuer=COGNITO, oidcAudience="c1,c2"))
        for cloud, gate in (("aws", HttpApi), ("azure", ApiManagement.of))
    }
    for scope, expected in (("orders/orders.read", 200), ("orders.read", 403), ("other/orders.read", 403)):
        call = Call("GET", "/orders/o-1", {"scope": scope, "client_id": "c1"})
        assert {gate.answer(call) for gate in gates.values()} == {expected}, scope
    authorizer = captured("aws", oidcIssuer=COGNITO, oidcAudience="c1,c2").one("aws:apigatewayv2/authorizer:Authorizer")
    assert authorizer["jwtConfiguration"]["audiences"] == ["c1", "c2"]
    stranger = Call("GET", "/orders/o-1", {"scope": "orders/orders.read", "client_id": "c3"})
    assert gates["azure"].answer(stranger) == 401


def test_the_policy_takes_each_audience_or_each_client():
    text = written(extended_document(), sku="Consumption", edge="none")
    assert "<audiences><audience>a &amp; b</audience><audience>c</audience></audiences>" in text
    cognito = written(extended_document(), sku="Consumption", edge="none", issuer=COGNITO)
    assert apim_policy.problems(cognito) == [] and "<audience>" not in cognito
    assert '<claim name="client_id" match="any"><value>a &amp; b</value><value>c</value></claim>' in cognito


@pytest.mark.parametrize("sku", apim_policy.TIERS)
@pytest.mark.parametrize("edge", ["none", "waf"])
def test_the_policy_is_one_that_the_tier_has(sku, edge):
    text = written(extended_document(), sku=sku, edge=edge)
    assert apim_policy.problems(text, sku) == []
    assert ("rate-limit-by-key" in text) == (sku != "Consumption") and ("check-header" in text) == (edge == "waf")


def test_the_validator_finds_what_is_wrong():
    good = written(extended_document(), sku="Basic", edge="waf")
    for old, new in (
        ("<backend>", "<backend><base /></backend><backend>"),
        ('exists-action="override"', 'exists-action="replace"'),
        ("<rate-limit-by-key", "<rate-limit"),
        ("<forward-request", "<validate-jwt"),
        ("<set-status", "<set-body>x</set-body><set-status"),
        (".Any()", ".Any("),
        ("renewal-period=", "renewal="),
    ):
        assert old in good and apim_policy.problems(good.replace(old, new, 1), "Basic"), old
    assert apim_policy.problems(good, "Consumption") == ["rate-limit-by-key in the tier Consumption"] * 2


def written(document, *, sku, edge, issuer="https://issuer.example/"):
    from twofold.deploy.azure import policy
    from twofold.deploy.routes import RATE_PER_SECOND

    return policy.document(
        operations(document), service="orders", issuer=issuer, audience="a & b, c", caller=policy.Caller("api://x", "c"),
        rate=None if sku == "Consumption" else RATE_PER_SECOND, front_door=FRONT_DOOR_ID if edge == "waf" else None,
    )  # fmt: skip


def test_both_throttle_alike(tmp_path_factory):
    """As many reads and writes a second, of all callers together, where the tier counts."""
    aws = documented(tmp_path_factory.mktemp("aws"), "aws", extended_document(), gatewayRate="120")
    azure = documented(
        tmp_path_factory.mktemp("azure"), "azure", extended_document(), gatewayRate="120", apimSku="StandardV2"
    )
    stage = aws.one("aws:apigatewayv2/stage:Stage")
    assert stage["defaultRouteSettings"] == {"throttlingRateLimit": 120, "throttlingBurstLimit": 240}
    writes = {s["routeKey"]: (s["throttlingRateLimit"], s["throttlingBurstLimit"]) for s in stage["routeSettings"]}
    assert writes == {f"POST {path}": (30, 60) for path, item in OWN["paths"].items() if "post" in item}
    limits = {
        element.get("counter-key").split('"')[1]: int(element.get("calls")) / int(element.get("renewal-period"))
        for element in ApiManagement.of(azure).policy.iter("rate-limit-by-key")
    }
    assert limits == {"-reads": 120, "-writes": 30}
    assert azure.one("azure-native:apimanagement:ApiManagementService")["sku"] == {"name": "StandardV2", "capacity": 1}


def test_two_routes_of_one_name_are_refused():
    twice = extended_document()
    twice["paths"]["/orders"]["post"]["operationId"] = "get_Order"
    twice["paths"]["/orders/{order_id}"]["get"]["operationId"] = "get-order"
    with pytest.raises(ConfigError, match="get-order twice"):
        operations(twice)


def test_an_edge_is_the_only_way_in(tmp_path, cloud):
    stack = documented(tmp_path, cloud, extended_document(), edge="waf")
    secret = EDGE_VALUE if cloud == "aws" else FRONT_DOOR_ID
    assert secret not in stack.on_disk and secret not in json.dumps(stack.outputs)
    if cloud == "azure":
        gate = ApiManagement.of(stack)
        assert gate.answer(Call("GET", "/health/live")) == 403
        assert gate.answer(Call("GET", "/health/live", headers={"X-Azure-FDID": "guessed"})) == 403
        through = {"X-Azure-FDID": FRONT_DOOR_ID, "X-Azure-SocketIP": "198.51.100.7", "X-Forwarded-For": "6.6.6.6"}
        status, headers = gate.run(Call("GET", "/health/live", headers=through))
        assert (status, headers["X-Forwarded-For"]) == (200, "198.51.100.7")
        check = stack.named("pulumi-python:dynamic:Resource")["orders-dev-health"]
        assert check["url"] == f"https://{stack.one(API_MANAGEMENT)['serviceName']}.azure-api.net"
        assert check["edge"] == {"url": stack.outputs["url"], "id": FRONT_DOOR_ID}
        assert gate.answer(Call("GET", "/health/live", headers={FRONT_DOOR: check["edge"]["id"]})) == 200
        firewall = stack.one("azure-native:frontdoor:Policy")
        assert (
            firewall["policySettings"]["mode"] == "Prevention" and firewall["sku"]["name"] == "Premium_AzureFrontDoor"
        )
        assert firewall["customRules"]["rules"][0]["ruleType"] == "RateLimitRule"
        assert stack.outputs["url"].endswith("azurefd.net")
    else:
        distribution = stack.one("aws:cloudfront/distribution:Distribution")
        [origin] = distribution["origins"]
        assert origin["customHeaders"] == [{"name": "X-Twofold-Edge", "value": EDGE_VALUE}]
        units = stack.of("aws:lambda/function:Function")
        assert EDGE_VALUE not in json.dumps(units) and {
            u["environment"]["variables"]["TWOFOLD_FORWARDED_HOPS"] for u in units
        } == {"2"}
        firewall = stack.one("aws:wafv2/webAcl:WebAcl")
        assert firewall["scope"] == "CLOUDFRONT" and firewall["region"] == "us-east-1"
        kinds = [next(iter(rule["statement"])) for rule in firewall["rules"]]
        assert "rateBasedStatement" in kinds and kinds.count("managedRuleGroupStatement") == 3
        assert stack.outputs["url"] == "https://d111111abcdef8.cloudfront.net"


def test_without_a_gateway_the_service_has_its_own_address(tmp_path, cloud):
    stack = documented(tmp_path, cloud, extended_document(), gateway="none")
    kinds = {token for token, _ in stack.resources.values()}
    assert not [kind for kind in kinds if "apigateway" in kind or "apimanagement" in kind or "AuthSettings" in kind]
    assert stack.outputs["url"].endswith({"aws": ".on.aws", "azure": ".azurewebsites.net"}[cloud])


def test_an_existing_service_is_used_and_only_its_identity_let_in(tmp_path):
    apim = "/subscriptions/s/resourceGroups/shared/providers/Microsoft.ApiManagement/service/company"
    stack = documented(tmp_path, "azure", extended_document(), gateway="existing", apim=apim)
    assert stack.of("azure-native:apimanagement:ApiManagementService") == []
    api = stack.one("azure-native:apimanagement:Api")
    assert (api["serviceName"], api["resourceGroupName"]) == ("company", "shared")
    assert stack.outputs["url"] == "https://company.azure-api.net"
    settings = stack.one("azure-native:web:WebAppAuthSettingsV2")
    validation = settings["identityProviders"]["azureActiveDirectory"]["validation"]
    assert validation["defaultAuthorizationPolicy"]["allowedPrincipals"] == {"identities": ["principal-company"]}
    identity = ApiManagement.of(stack).policy.find("inbound/authentication-managed-identity")
    assert "client-id" not in identity.attrib  # its own identity
