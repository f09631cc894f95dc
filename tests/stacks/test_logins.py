"""Who is logged in, and on which machine, changes nothing in a living stack: a preview of somebody else's plans no step."""

import pytest

from tests.engine import answers
from tests.stacks.stack import config, started

OTHER = "00000000-0000-0000-0000-0000000000ff"
SOMEBODY = {
    "azure-native:authorization:getClientConfig": {
        "clientId": "04b07795-8ddb-461a-bbee-02f9e1bf7b46", "objectId": OTHER, "subscriptionId": answers.SUBSCRIPTION,
        "tenantId": answers.TENANT,
    },
    "aws:index/getCallerIdentity:getCallerIdentity": {
        "accountId": answers.ACCOUNT, "arn": f"arn:aws:iam::{answers.ACCOUNT}:user/other", "id": answers.ACCOUNT,
        "userId": "other",
    },
}  # fmt: skip
"""What the clouds say of another login in the same account: a person, where the first was a pipeline."""
ON = {
    "azure": {"edge": "waf", "static": "docs", "subscription": answers.SUBSCRIPTION, "tenant": answers.TENANT},
    "aws": {"edge": "waf", "static": "docs", "account": answers.ACCOUNT},
}
ASSIGNMENT = "azure-native:authorization:RoleAssignment"
WRITERS = {"orders-dev-releases", "orders-dev-static-deployer"}


@pytest.fixture
def somebody_else(monkeypatch):
    asked = answers.asked
    return lambda: monkeypatch.setattr(
        answers, "asked", lambda token, arguments: SOMEBODY.get(token) or asked(token, arguments)
    )


def holders(engine):
    assignments = engine.resources().named(ASSIGNMENT)
    return {name: (assignments[name]["principalId"], assignments[name]["principalType"]) for name in WRITERS}


def test_another_login_plans_and_changes_nothing(tmp_path, cloud, somebody_else):
    engine = started(tmp_path, cloud, **ON[cloud])
    engine.up()
    before = engine.resources()
    somebody_else()
    for command in ("preview", "up"):
        assert set().union(*engine.steps(command).values()) <= {"same", "read"}, command
    assert engine.resources() == before and engine.standin.deleted == set()
    if cloud == "azure":
        assert set(holders(engine).values()) == {("o", "ServicePrincipal")}
        [files, release] = [one["writer"] for _, one in before.values() if "writer" in one]
        assert files == release == "o"  # who is refused is told at once whose the role is
    engine.close()


@pytest.mark.parametrize("cloud", ["azure"], indirect=True)
def test_a_named_deployer_has_the_roles_whoever_is_logged_in(tmp_path, cloud, somebody_else):
    engine = started(tmp_path, cloud, **ON[cloud])
    engine.up()
    engine.configure(config(cloud, **ON[cloud], deployer=f"Group:{OTHER}"))
    engine.up()
    assert set(holders(engine).values()) == {(OTHER, "Group")}
    moved = {urn.rpartition("::")[2] for urn in engine.standin.deleted}
    assert moved == WRITERS  # replaced because config says so
    assert all(one["writer"] == "" for _, one in engine.resources().values() if "writer" in one)
    somebody_else()
    assert set().union(*engine.steps("preview").values()) <= {"same", "read"}
    engine.close()
