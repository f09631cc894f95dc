"""Both stacks, capability by capability: every entry of the manifest is somewhere in each."""

from dataclasses import fields

import pytest

from api.manifest import SERVICE
from tests.stacks import capabilities
from tests.stacks.capabilities import CODE_ALONE, MANIFEST, TABLE, Stack, compared
from twofold.manifest import ServiceManifest


@pytest.fixture(scope="module")
def stacks(captured):
    return {cloud: Stack(captured(cloud).resources, "orders-dev", SERVICE) for cloud in ("azure", "aws")}


def missing(stacks, manifest=SERVICE):
    table = compared(manifest, stacks)
    return {
        (name, entry, cloud) for (name, entry), clouds in table.items() for cloud, names in clouds.items() if not names
    }


def test_every_entry_is_in_both_stacks(stacks):
    assert missing(stacks) == set()
    counted = {name for name, _ in compared(SERVICE, stacks)}
    assert counted == {line.name for line in TABLE}  # the sample service uses every capability


def test_every_field_of_the_manifest_is_accounted_for():
    assert set(MANIFEST) | CODE_ALONE == {one.name for one in fields(ServiceManifest)}
    assert {name for names in MANIFEST.values() for name in names} <= {line.name for line in TABLE}
    for field, names in MANIFEST.items():
        specs = {getattr(spec, "name", spec) for spec in getattr(SERVICE, field)}
        for line in (line for line in TABLE if line.name in names):
            listed = set(line.entries(SERVICE))
            assert specs <= listed or {capabilities.dead_letter_name(spec) for spec in specs} <= listed


DROPPED = {
    "aws": [
        ("aws:sqs/queue:Queue", "queue"),
        ("aws:scheduler/schedule:Schedule", "schedule"),
        ("aws:secretsmanager/secret:Secret", "secret"),
        ("aws:cloudwatch/eventBus:EventBus", "published event"),
        ("aws:apigatewayv2/route:Route", "scope"),
        ("aws:lambda/eventSourceMapping:EventSourceMapping", "consumer or projection of the feed"),
    ],
    "azure": [
        ("azure-native:storage:Queue", "queue"),
        ("azure-native:keyvault:Vault", "secret"),
        ("azure-native:monitor:ScheduledQueryRule", "alarm on dead letters"),
        ("azure-native:eventgrid:Topic", "published event"),
        ("azure-native:apimanagement:ApiPolicy", "scope"),
        ("azure-native:cosmosdb:SqlResourceSqlContainer", "block"),
    ],
}


@pytest.mark.parametrize(
    ("cloud", "token", "capability"), [(cloud, *one) for cloud in DROPPED for one in DROPPED[cloud]]
)
def test_a_stack_that_drops_an_entry_fails(stacks, cloud, token, capability):
    stack = stacks[cloud]
    kept = {urn: one for urn, one in stack.resources.items() if one[0] != token}
    assert len(kept) < len(stack.resources)
    gaps = missing(stacks | {cloud: Stack(kept, stack.prefix, SERVICE)})
    assert capability in {name for name, _, _ in gaps} and {where for _, _, where in gaps} == {cloud}
