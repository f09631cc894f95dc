"""A protected stack goes as a whole or not at all, with what a user adds in their stacks/<cloud>.py and names nowhere else."""

import pytest
from pulumi import automation

from tests.stacks import capture
from tests.stacks.stack import started

COMPONENT = """
    class Reports(pulumi.ComponentResource):
        def __init__(self, name, opts=None):
            super().__init__("own:Reports", name, None, opts)
            child = pulumi.ResourceOptions(parent=self)
{data}

    Reports("reports", opts={opts})
"""
OWN = {
    "aws": COMPONENT.format(
        opts="opts",
        data="""
            from pulumi_aws import dynamodb

            keys = {"hash_key": "p", "attributes": [dynamodb.TableAttributeArgs(name="p", type="S")]}
            table = dynamodb.Table("reports", name="reports", **keys, opts=child)
            dynamodb.Table("of-a-resource", name="other", **keys, opts=pulumi.ResourceOptions(parent=table))""",
    ),
    "azure": COMPONENT.format(
        opts="None",
        data="""
            from pulumi_azure_native import storage

            account = storage.StorageAccount("reports", account_name="ordersreports", resource_group_name=group,
                location=config.region, kind="StorageV2", sku=storage.SkuArgs(name="Standard_LRS"), opts=child)
            storage.BlobContainer("of-a-resource", container_name="reports", account_name=account.name, resource_group_name=group,
                opts=pulumi.ResourceOptions(parent=account))""",
    ),
}
"""A component with data in it, one of it the child of another resource: the SDK leaves that out of a component's dependencies."""


def test_a_users_own_component_is_guarded_without_being_named(tmp_path, cloud):
    engine = started(tmp_path, cloud, capture.with_own(cloud, OWN[cloud]), protect="true")
    engine.up()
    resources = engine.state()["resources"]
    own = {one["urn"] for one in resources if one["urn"].endswith(("::reports", "::of-a-resource")) and one["custom"]}
    guard = next(one for one in resources if one["type"] == "pulumi:index:Stash")
    urns = {one["urn"] for one in resources if one["custom"] and not one["type"].startswith("pulumi:")}
    assert len(own) == 2 and own <= urns <= set(guard["dependencies"])
    with pytest.raises(automation.CommandError, match="protect"):
        engine.destroy()
    assert engine.standin.deleted == set() and own <= set(engine.standin.resources)
    engine.close()
