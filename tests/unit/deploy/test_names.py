"""Names in Azure: whatever a service, its customer and its environment are called, each service takes the name it is given."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.answers import SUBSCRIPTION
from tests.engine.names import AZURE
from twofold.deploy.azure.names import unique

PART = st.from_regex(r"[a-z](?:-?[a-z0-9]){0,23}", fullmatch=True)
ENVIRONMENT = st.from_regex(r"[a-z0-9]{1,12}", fullmatch=True)
LIMITS = {
    "azure-native:keyvault:Vault": 24, "azure-native:cosmosdb:DatabaseAccount": 44, "azure-native:web:WebApp": 60,
    "azure-native:apimanagement:ApiManagementService": 50, "azure-native:eventgrid:Topic": 50,
    "azure-native:redisenterprise:RedisEnterprise": 60, "azure-native:cdn:AFDEndpoint": 46,
    "azure-native:app:ContainerApp": 32,
}  # fmt: skip
"""Of the types whose names `unique` makes with hyphens, how long the program lets them be."""
PLAIN = {"azure-native:storage:StorageAccount": 24, "azure-native:frontdoor:Policy": 40}


def taken(token, name):
    [pattern] = AZURE[token].values()
    return re.fullmatch(pattern, name)


@given(service=PART, environment=ENVIRONMENT, role=PART)
def test_every_service_takes_every_name(service, environment, role):
    prefix = f"{service}-{environment}-{role}"
    for token, limit in (LIMITS | PLAIN).items():
        name = unique(prefix, SUBSCRIPTION, limit=limit, hyphens=token in LIMITS)
        assert taken(token, name) and len(name) <= limit, (token, name)


def test_a_prefix_that_is_cut_at_its_hyphen_has_a_single_one():
    assert unique("abcdefghijklmn-dev", SUBSCRIPTION, limit=24) == f"abcdefghijklmn-{digest('abcdefghijklmn-dev')}"


def test_names_that_are_cut_alike_stay_apart():
    long = "orders-of-a-long-name-staging"
    names = {unique(f"{long}-{role}", SUBSCRIPTION, limit=32) for role in ("http", "feed", "schedule", "worker")}
    assert len(names) == 4


@pytest.mark.parametrize("token", [*LIMITS, *PLAIN])
def test_a_rule_refuses_what_is_no_name(token):
    assert not any(taken(token, bad) for bad in ("", "a_b", "a" * 300))


def digest(prefix):
    return re.search(r"[0-9a-f]{8}$", unique(prefix, SUBSCRIPTION, limit=60)).group()
