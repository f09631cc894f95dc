"""Every earlier state comes up with today's program: no data is replaced or deleted, and the preview says so before.

The states under `states/` are a release's stacks as the engine kept them (`capture.py`): the defaults, production with everything
on, and a service with resources and a transform of its own.
"""

import json

import pulumi
import pytest
from pulumi import automation

from tests.engine.engine import Engine
from tests.stacks import capture
from tests.stacks.stack import HELD, program

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # inside pulumi_aws.s3
STATES = sorted(capture.STATES.glob("*/*.json"))
DEFAULTS = ("dev-azure", "dev-aws")
"""Production's stacks have all of it, and more."""
HARMLESS = {"same", "update", "read", "refresh"}


def opened(folder, path, run=None, **changed):
    """The stack of a state, with its own config and the pins that production has to have today, and the state."""
    state = json.loads(path.read_text())
    shape, _, cloud = path.stem.partition("-")
    config = state["config"] | {key: value for key, value in capture.stack_config(shape, cloud).items() if pinned(key)}
    run = run or (capture.with_own(cloud) if shape == "own" else program)
    engine = Engine(folder, path.stem, config | changed, run)
    engine.restore(state["resources"])
    return engine, state["resources"]


def pinned(key):
    return key.removeprefix("twofold:") in {name for pins in capture.PINS.values() for name in pins}


def data(resources):
    """What holds a user's data; the storage account with queues among it."""
    accounts = [one["urn"] for one in resources if one["type"] == "azure-native:storage:StorageAccount"]
    return {one["urn"] for one in resources if one["type"] in HELD} | {
        one for one in accounts if one.endswith("-queues")
    }


def lost(steps, kept):
    """Which of `kept` a run replaces, deletes or forgets, and how."""
    return {urn: steps.get(urn, {"forgotten"}) for urn in kept if not steps.get(urn, {"forgotten"}) <= HARMLESS}


@pytest.mark.parametrize("path", [
    pytest.param(path, id=f"{path.parent.name}-{path.stem}", marks=[pytest.mark.deep] if path.stem in DEFAULTS else [])
    for path in STATES
])  # fmt: skip
def test_an_earlier_state_comes_up_and_keeps_its_data(tmp_path, path):
    engine, before = opened(tmp_path, path)
    kept = data(before)
    assert len(kept) >= {"aws": 5, "azure": 10}[path.stem.partition("-")[2]]
    own = {one["urn"] for one in before if one["urn"].endswith(("::reports", "::told"))}
    assert len(own) == (2 if path.stem.startswith("own-") else 0)
    planned = engine.steps("preview")
    assert lost(planned, kept | own) == {}
    done = engine.steps("up")
    assert lost(done, kept | own) == {} and not (kept | own) & engine.standin.deleted
    for one in before:
        if one["urn"] in own:  # the stack's tags come onto a user's own, and nothing else changes
            after = dict(engine.standin.resources[one["urn"]][1])
            tagged = after.pop("tags", None) is not None
            assert after == one["inputs"] and done[one["urn"]] == ({"update"} if tagged else {"same"})
    assert {urn: planned[urn] for urn in kept} == {urn: done[urn] for urn in kept}
    assert kept | own <= set(engine.standin.resources)
    engine.close()


@pytest.mark.parametrize("path", STATES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_state_tells_nothing_of_the_machine_and_not_in_which_order_it_was_made(path):
    text = path.read_text()
    assert not any(word in text for word in ("/tmp/", "/root/", "/home/", "/Users/", "ciphertext", "salt"))
    resources = json.loads(text)["resources"]
    mixed = [one | {"created": "now", "modified": "now"} for one in reversed(resources)]
    assert capture.settled({"resources": mixed}) == resources


def renamed(args):
    changed = {"name": f"{args.props['name']}-2"} if args.type_ == "aws:dynamodb/table:Table" else {}
    return pulumi.ResourceTransformResult(props={**args.props, **changed}, opts=args.opts)


def test_a_renamed_table_is_caught(tmp_path):
    """The test above can fail: the same state, and a program that names its tables otherwise."""

    def run():
        pulumi.runtime.register_resource_transform(renamed)
        program()

    engine, before = opened(tmp_path, capture.STATES / "f1bb35f/dev-aws.json", run)
    tables = {one["urn"] for one in before if one["type"] == "aws:dynamodb/table:Table"}
    assert set(lost(engine.steps("preview"), data(before))) == tables and len(tables) == 2
    engine.close()


DRIFT = {
    "aws": ("aws:dynamodb/table:Table", {"deletionProtectionEnabled": True}),
    "azure": ("azure-native:keyvault:Vault", {"tags": {"by": "hand"}}),
}


def test_drift_is_shown_and_changes_nothing(tmp_path, cloud):
    """What `make drift` runs: it asks the cloud, tells what was changed by hand, and exits with an error."""
    engine, before = opened(tmp_path, capture.STATES / f"f1bb35f/dev-{cloud}.json")
    token, changed = DRIFT[cloud]
    urn = next(one["urn"] for one in before if one["type"] == token)
    engine.stack.preview_refresh(expect_no_changes=True)
    engine.standin.drifted[urn] = changed
    shown = []
    with pytest.raises(automation.CommandError, match="no changes were expected"):
        engine.stack.preview_refresh(expect_no_changes=True, diff=True, color="never", on_output=shown.append)
    output = "".join(shown)
    assert urn in output and next(iter(changed)) in output
    assert {one["urn"]: one.get("outputs") for one in engine.state()["resources"]}[urn] == next(
        one["outputs"] for one in before if one["urn"] == urn
    )
    engine.close()
