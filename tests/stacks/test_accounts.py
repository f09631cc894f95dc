"""A stack is in the account that its config names, or nowhere: any other login ends before the first resource."""

import json

import pytest
from pulumi import automation

from tests.engine.answers import ACCOUNT, SUBSCRIPTION, TENANT
from tests.stacks.stack import started

OTHER = "00000000-0000-0000-0000-0000000000ff"
IDENTITY = "aws:index/getCallerIdentity:getCallerIdentity"


@pytest.mark.parametrize(
    ("cloud", "key", "pinned", "actual"),
    [
        ("aws", "account", "999999999999", ACCOUNT),
        ("azure", "subscription", OTHER, SUBSCRIPTION),
        ("azure", "tenant", OTHER, TENANT),
    ],
)
def test_another_login_stops_before_any_resource(tmp_path, cloud, key, pinned, actual):
    engine = started(tmp_path, cloud, **{key: pinned})
    with pytest.raises(automation.CommandError) as failed:
        engine.up()
    assert f"twofold:{key} is {pinned!r}, but this login is in {key} {actual!r}" in str(failed.value)
    assert "Traceback" not in str(failed.value)
    assert engine.standin.resources == {}
    engine.close()


def test_the_provider_is_held_to_the_account_and_takes_the_role(tmp_path):
    role = f"arn:aws:iam::{ACCOUNT}:role/deployer"
    engine = started(tmp_path, "aws", account=ACCOUNT, assumeRole=role, externalId="shop-1")
    engine.preview()
    [config] = [one for one in engine.standin.configured if "defaultTags" in one]
    assert json.loads(config["allowedAccountIds"]) == [ACCOUNT]
    [assumed] = json.loads(config["assumeRoles"])
    assert (assumed["roleArn"], assumed["externalId"]) == (role, "shop-1")
    assert [token for token, _ in engine.standin.asked].count(IDENTITY) == 1
    engine.close()


def test_without_a_pin_nothing_is_asked(tmp_path):
    engine = started(tmp_path, "aws")
    engine.preview()
    assert engine.standin.asked == []
    [config] = [one for one in engine.standin.configured if "defaultTags" in one]
    assert not {"allowedAccountIds", "assumeRoles"} & set(config)
    engine.close()


@pytest.mark.parametrize("changes", [{}, {"permissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/orders-dev-boundary"}])
def test_roles_without_a_boundary_are_warned_of_once(tmp_path, changes):
    engine, warned = started(tmp_path, "aws", **changes), []

    def note(event):
        if event.diagnostic_event and event.diagnostic_event.severity == "warning":
            warned.append(event.diagnostic_event.message)

    engine.stack.preview(on_event=note)
    engine.close()
    warnings = [one for one in warned if "twofold:permissionsBoundary is not set" in one]
    assert len(warnings) == (0 if changes else 1)
    assert changes or "twofold deployer --cloud aws --env dev" in warnings[0]
