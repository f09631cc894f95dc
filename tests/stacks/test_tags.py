"""Every resource that takes tags has the stack's, the user's own too; one that takes none is left alone.

That `twofold describe` tells of the same ones, test_describe.py holds.
"""

import importlib
import inspect
import sys
import typing
from collections import abc

import pytest

from tests.stacks import capture
from tests.stacks.captured import Captured
from tests.stacks.options import everything
from twofold.deploy.azure import tags

STACK = {"service": "orders", "environment": "dev", "team": "shop"}
OWN = """
    from pulumi_azure_native import operationalinsights, storage

    made = storage.StorageAccount(
        "reports", account_name="ordersreports", resource_group_name=group, location=config.region, kind="StorageV2",
        sku=storage.SkuArgs(name="Standard_LRS"), tags={"team": "reports", "owner": group},
    )
    storage.BlobContainer("reports", container_name="reports", account_name=made.name, resource_group_name=group)
    resources.ResourceGroup("more", resource_group_name="more", location=config.region, tags=made.name.apply(lambda n: {"of": n}))
    operationalinsights.SavedSearch(
        "own", saved_search_id="own", workspace_name="company", resource_group_name=group, category="c", display_name="d",
        query="q", tags=[operationalinsights.TagArgs(name="a", value="b")],
    )
"""


@pytest.fixture(scope="module")
def azure(tmp_path_factory):
    changed = everything("azure") | {"protect": "false", "subnets": "", "logWorkspace": ""}
    return Captured(tmp_path_factory.mktemp("azure"), "azure", capture.with_own("azure", OWN), **changed)


def takes(token):
    """As the SDK's class of the type's arguments has it; the kit reads the resource's own."""
    _, module, name = token.split(":")
    module = sys.modules[getattr(importlib.import_module(f"pulumi_azure_native.{module}"), name).__module__]
    arguments = getattr(module, module.__all__[0])
    argument = inspect.signature(arguments.__init__).parameters.get("tags")
    return argument is not None and abc.Mapping in map(typing.get_origin, typing.get_args(argument.annotation))


def test_what_takes_tags_has_them_and_nothing_else(azure):
    seen = {True: set(), False: set()}
    for urn, (token, inputs) in azure.resources.items():
        if not token.startswith("azure-native:"):
            assert "tags" not in inputs
            continue
        wanted = takes(token) and token not in tags.PARTS
        seen[wanted].add(token)
        name = urn.rpartition("::")[2]
        if name not in ("reports", "more", "own"):
            assert inputs.get("tags") == (STACK if wanted else None), (token, name)
    assert len(seen[True]) >= 20 and len(seen[False]) >= 15
    assert seen[False] >= set(tags.PARTS)


def test_a_users_own_resources_have_them_too_and_their_own_come_first(azure):
    accounts = azure.named("azure-native:storage:StorageAccount")
    assert accounts["reports"]["tags"] == STACK | {"team": "reports", "owner": "orders-dev"}
    assert azure.named("azure-native:resources:ResourceGroup")["more"]["tags"] == STACK | {"of": "ordersreports"}
    search = azure.named("azure-native:operationalinsights:SavedSearch")["own"]
    assert search["tags"] == [{"name": "a", "value": "b"}]  # what it calls tags is another thing
    assert "tags" not in azure.named("azure-native:storage:BlobContainer")["reports"]


def test_a_type_that_no_module_has_is_left_alone():
    assert not tags.taken("azure-native:storage:Nothing") and not tags.taken("aws:s3/bucket:Bucket")
    assert not tags.taken("twofold:azure:Data") and tags.taken("azure-native:storage:StorageAccount")
