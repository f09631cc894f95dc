"""`twofold:issuer managed` on AWS: the user pool, who may log in to it, and what the rest of the stack takes of it."""

import json

import pytest
from pulumi import automation

from api.manifest import SERVICE
from tests.engine.answers import CLIENT_SECRET
from tests.stacks.stack import config, environments, started
from twofold.portable import issuers

ISSUER = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Ab1Cd2Ef3"
POOL, CLIENT = "aws:cognito/userPool:UserPool", "aws:cognito/userPoolClient:UserPoolClient"
OWN = {"oidcIssuer": "", "oidcAudience": ""}
MANAGED = OWN | {"issuer": "managed"}
SCOPES = [f"orders/{scope}" for scope in SERVICE.scopes]


@pytest.fixture(scope="module")
def stack(captured):
    return captured("aws", **MANAGED, machineClient="true")


@pytest.fixture(scope="module")
def audience(stack):
    ids = {one["urn"].rpartition("-")[2]: one["id"] for one in stack.state["resources"] if one["type"] == CLIENT}
    return f"{ids['browser']},{ids['machine']}"


def test_every_unit_and_the_gateway_take_its_tokens(stack, audience):
    assert issuers.is_cognito(ISSUER)
    units = environments(stack.resources, "aws")
    assert {(unit["TWOFOLD_OIDC_ISSUER"], unit["TWOFOLD_OIDC_AUDIENCE"]) for unit in units} == {(ISSUER, audience)}
    token = stack.one("aws:apigatewayv2/authorizer:Authorizer")["jwtConfiguration"]
    assert token == {"issuer": ISSUER, "audiences": audience.split(",")}
    assert (stack.outputs["oidc_issuer"], stack.outputs["oidc_audience"]) == (ISSUER, audience)


def test_routes_ask_for_the_scopes_as_its_tokens_spell_them(stack):
    asked = [route.get("authorizationScopes", ()) for route in stack.of("aws:apigatewayv2/route:Route")]
    assert {scope for scopes in asked for scope in scopes} <= set(SCOPES) and ["orders/orders.read"] in asked
    server = stack.one("aws:cognito/resourceServer:ResourceServer")
    assert server["identifier"] == "orders" and [one["scopeName"] for one in server["scopes"]] == list(SERVICE.scopes)


def test_people_log_in_by_code_alone_and_nobody_signs_up(stack):
    pool, browser = stack.one(POOL), stack.named(CLIENT)["orders-dev-browser"]
    assert pool["adminCreateUserConfig"] == {"allowAdminCreateUserOnly": True}
    assert (browser["generateSecret"], browser["allowedOauthFlows"]) == (False, ["code"])
    assert browser["callbackUrls"] == ["http://localhost:8400/callback"]
    assert browser["explicitAuthFlows"] == ["ALLOW_REFRESH_TOKEN_AUTH"]
    assert browser["allowedOauthScopes"] == ["openid", *SCOPES]


def test_a_programs_client_is_there_only_when_asked_for_and_its_secret_is_nowhere_in_plain(stack, captured):
    machine = stack.named(CLIENT)["orders-dev-machine"]
    assert (machine["allowedOauthFlows"], machine["allowedOauthScopes"]) == (["client_credentials"], SCOPES)
    assert CLIENT_SECRET not in stack.on_disk and CLIENT_SECRET not in json.dumps(stack.outputs)
    secrets = [one["outputs"].get("clientSecret") for one in stack.state["resources"] if one["type"] == CLIENT]
    assert CLIENT_SECRET in json.dumps(
        secrets
    )  # it is in the state, encrypted: what the line above looked for is there
    alone = captured("aws", **MANAGED)
    assert set(alone.named(CLIENT)) == {"orders-dev-browser"} and "," not in alone.outputs["oidc_audience"]


def test_the_name_of_the_login_page_is_the_pools_own(stack):
    name = stack.one("aws:cognito/userPoolDomain:UserPoolDomain")["domain"]
    assert name.startswith("orders-dev-") and len(name) == len("orders-dev-") + 8


def test_an_issuer_that_exists_makes_no_pool(captured):
    assert captured("aws").of(POOL) == []


def test_its_users_are_data(tmp_path):
    """Deletion protection, no delete by Pulumi, and going back to another issuer is refused."""
    engine = started(tmp_path, "aws", **MANAGED, protect="true")
    engine.up()
    [urn] = [urn for urn, (token, _) in engine.standin.resources.items() if token == POOL]
    assert engine.standin.resources[urn][1]["deletionProtection"] == "ACTIVE"
    [kept] = [one for one in engine.state()["resources"] if one["urn"] == urn]
    assert kept["protect"] and kept["retainOnDelete"]
    engine.configure(config("aws", protect="true"))
    with pytest.raises(automation.CommandError, match="protect"):
        engine.up()
    assert urn not in engine.standin.deleted
    engine.close()
