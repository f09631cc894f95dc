"""The stand-in's Azure refuses what the real one refuses: each rule, by the update that met it."""

import pytest

from tests.engine.azure_rules import refused
from tests.engine.operation import Operation

VAULT, CACHE = "azure-native:keyvault:Vault", "azure-native:redisenterprise:RedisEnterprise"
RULE, SEARCH = "azure-native:monitor:ScheduledQueryRule", "azure-native:operationalinsights:SavedSearch"
APP = "azure-native:web:WebApp"


def app(name, *settings):
    pairs = {"AzureWebJobsStorage__accountName": "ordersdev", **dict(settings)}
    return {"name": name, "siteConfig": {"appSettings": [{"name": key, "value": pairs[key]} for key in pairs]}}


LONG = "orders-abcdefghijkl-productioneu"
OTHER = {"urn": (APP, app(f"{LONG}-http-1"))}


@pytest.mark.parametrize(
    ("kind", "token", "before", "inputs", "why"),
    [
        ("create", VAULT, {}, {"vaultName": "orders-of-abcd--01234567"}, "must match"),
        (
            "update",
            VAULT,
            {"properties": {"softDeleteRetentionInDays": 7}},
            {"properties": {"softDeleteRetentionInDays": 90}},
            "has been set already",
        ),
        ("update", VAULT, {}, {"properties": {"enablePurgeProtection": False}}, "cannot be set to false"),
        ("update", CACHE, {"highAvailability": "Disabled"}, {"highAvailability": "Enabled"}, "can't be changed"),
        ("update", RULE, {"scopes": ["a"]}, {"scopes": ["b"]}, "scopes of a rule"),
        ("update", SEARCH, {"query": "a"}, {"query": "b"}, "409"),
        ("create", APP, {}, app(f"{LONG}-feed-1"), "A collision for Host ID"),
        ("create", APP, {}, app("orders", ("AzureFunctionsWebHost__hostid", "a--b")), "a host id is"),
    ],
)
def test_each_rule_refuses(kind, token, before, inputs, why):
    assert why in refused(Operation(kind, token, "n", inputs, before, OTHER))


@pytest.mark.parametrize(
    ("token", "before", "inputs"),
    [
        (VAULT, {"properties": {"enablePurgeProtection": True}}, {"properties": {}}),
        (CACHE, {"publicNetworkAccess": "Enabled"}, {"publicNetworkAccess": "Disabled"}),
        (SEARCH, {"query": "a"}, {"query": "b", "etag": "*"}),
        (APP, {}, app(f"{LONG}-feed-1", ("AzureFunctionsWebHost__hostid", "orders-feed"))),
    ],
)
def test_what_azure_takes_is_taken(token, before, inputs):
    assert refused(Operation("update", token, "n", inputs, before, OTHER)) is None
