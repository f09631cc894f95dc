"""What wakes an app is what the platform lists of it, and it learns that by a sync: against a Resource Manager that is strict."""

import math

import pytest

from tests.unit.deploy.arm import Arm, site
from twofold.deploy.azure.triggers import ACTIONS, SyncFailed, sync
from twofold.deploy.retry import Retry
from twofold.emulators.server import Answer

APP = "orders-dev-worker-1a2b"
WORKER = ["queue_mails", "queue_parcels", "queue_payments"]


def synced(arm, functions=tuple(WORKER), token=lambda: "t", seconds=30.0):
    return sync(site(APP), functions, token, retry=Retry(seconds, 0.001), arm=arm.url)


def test_the_platform_knows_every_function_after_it():
    with Arm({APP: [WORKER]}) as arm:
        assert synced(arm) == "" and arm.known[APP] == WORKER
        assert arm.asked(APP, "host/default/sync") == 1 and arm.asked(APP, "functions") == 2  # two pages


def test_an_app_whose_first_instance_still_starts_is_asked_again():
    with Arm({APP: [None, None, WORKER]}) as arm:
        arm.inject(1, Answer(504), when=lambda method, path, headers: method == "POST")
        arm.inject(1, None, when=lambda method, path, headers: method == "POST")
        assert synced(arm) == "" and arm.asked(APP, "host/default/sync") == 5


def test_the_placeholder_of_a_host_that_told_nothing_is_no_function():
    with Arm({APP: [["WarmUp"], ["WarmUp"], WORKER]}) as arm:
        assert synced(arm, functions=()) == "" and arm.known[APP] == WORKER


@pytest.mark.parametrize(
    "before", [["queue_payments"], [*WORKER, "queue_letters"], ["queue_bills", "queue_letters"], []]
)
def test_what_was_added_renamed_or_taken_away_is_known_too(before):
    """An instance of before may answer the first syncs: they succeed, and leave what was."""
    with Arm({APP: [before, before, WORKER]}, known={APP: before}) as arm:
        assert synced(arm) == "" and arm.known[APP] == WORKER
        assert arm.asked(APP, "host/default/sync") == 3


def test_a_token_that_ended_meanwhile_is_no_login_that_may_not():
    """The app's deployment may have taken longer than it was good."""
    tokens = iter(["ended", "ended", *["t"] * 4])
    with Arm({APP: [WORKER]}) as arm:
        assert synced(arm, token=lambda: next(tokens)) == "" and arm.known[APP] == WORKER


def test_a_token_that_is_never_taken_fails_in_the_end_with_the_clouds_words():
    with Arm({APP: [WORKER]}) as arm, pytest.raises(SyncFailed, match=r"still not synced: 401 .*Authentication"):
        synced(arm, token=lambda: "other", seconds=0.1)


def test_a_login_that_may_not_fails_at_once_and_reads_what_it_needs():
    with Arm({APP: [WORKER]}, forbidden=ACTIONS) as arm:
        with pytest.raises(SyncFailed, match=r"host/sync/action and .*functions/read: 403 .*Authorization") as failed:
            synced(arm)
        assert APP in str(failed.value) and len(arm.requests) == 1


def test_an_error_to_the_end_fails_with_the_clouds_words():
    with Arm({APP: [None]}) as arm, pytest.raises(SyncFailed, match=r"not synced: 400 .*from host runtime") as failed:
        synced(arm, seconds=0.1)
    assert "FunctionAppLogs" in str(failed.value)


def test_one_that_the_host_had_told_itself_is_a_warning_alone():
    with Arm({APP: [None]}, known={APP: WORKER}) as arm:
        warning = synced(arm, seconds=0.1)
    assert "lists its functions, but refuses to sync them: 400" in warning


@pytest.mark.parametrize(
    ("listed", "named"), [([], "no function"), (["WarmUp"], "no function"), (["queue_bills"], "queue_bills")]
)
def test_a_list_that_stays_another_warns_and_names_what_to_look_at(listed, named):
    with Arm({APP: [listed]}) as arm:
        warning = synced(arm, seconds=0.1)
    assert f"lists {named} of it, not queue_mails, queue_parcels, queue_payments" in warning
    assert "FunctionAppLogs" in warning
    assert (
        f"az rest --method post --url https://management.azure.com{site(APP)}/host/default/sync?api-version=" in warning
    )


@pytest.mark.parametrize("answer", [Answer(500), Answer(200, b"<html>"), Answer(200, {"value": [{}]}), None])
def test_a_list_that_can_not_be_read_warns(answer):
    with Arm({APP: [WORKER]}) as arm:
        arm.inject(math.inf, answer, when=lambda method, path, headers: method == "GET")
        assert "can't be read" in synced(arm, seconds=0.1)


def test_without_names_any_function_will_do():
    with Arm({APP: [["queue_bills"]]}) as arm:
        assert synced(arm, functions=()) == ""
