"""What an AWS stack says of its units: everything calls `live`, and config decides how many run and from what."""

import json

import pytest

from api.manifest import SERVICE

BOUNDARY = "arn:aws:iam::123456789012:policy/boundary"
IMAGE = f"123456789012.dkr.ecr.eu-central-1.amazonaws.com/orders@sha256:{'5' * 64}"


@pytest.fixture(scope="module")
def image(captured):
    return captured(
        "aws", image=IMAGE, permissionsBoundary=BOUNDARY, releases="1",
        maxInstances=json.dumps({"http": 50, "worker": 4}), warmInstances=json.dumps({"http": 2}),
    )  # fmt: skip


@pytest.fixture(scope="module")
def snapped(captured):
    return captured("aws", snapStart="true", gateway="none")


def live(role):
    return f"arn:aws:lambda:eu-central-1:123456789012:function:orders-dev-{role}:live"


def test_everything_calls_the_alias(image, snapped):
    assert image.one("aws:apigatewayv2/integration:Integration")["integrationUri"] == f"{live('http')}/invocations"
    mappings = image.named("aws:lambda/eventSourceMapping:EventSourceMapping")
    assert {name: one["functionName"] for name, one in mappings.items()} == {
        "orders-dev-feed": live("feed"), "orders-dev-payments": live("worker"),
    }  # fmt: skip
    assert image.one("aws:scheduler/schedule:Schedule")["target"]["arn"] == live("schedule")
    policy = json.loads(image.named("aws:iam/rolePolicy:RolePolicy")["orders-dev-expire-unpaid"]["policy"])
    assert policy["Statement"][0]["Resource"] == [live("schedule")]
    assert snapped.one("aws:lambda/functionUrl:FunctionUrl")["qualifier"] == "live"
    for stack in (image, snapped):
        assert {one["qualifier"] for one in stack.of("aws:lambda/permission:Permission")} == {"live"}
        assert all(one["publish"] for one in stack.of("aws:lambda/function:Function"))
        assert len(stack.of("aws:lambda/alias:Alias")) == len(SERVICE.units)


def test_how_many_run(image, snapped):
    most = {
        n: one.get("reservedConcurrentExecutions") for n, one in image.named("aws:lambda/function:Function").items()
    }
    assert most == {
        "orders-dev-http": 50, "orders-dev-worker": 4, "orders-dev-feed": None, "orders-dev-schedule": None,
    }  # fmt: skip
    mappings = image.named("aws:lambda/eventSourceMapping:EventSourceMapping")
    assert mappings["orders-dev-payments"]["scalingConfig"] == {"maximumConcurrency": 4}
    warm = image.one("aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig")
    assert (warm["functionName"], warm["qualifier"], warm["provisionedConcurrentExecutions"]) == (
        "orders-dev-http", "live", 2,
    )  # fmt: skip
    # Without a word, nothing is taken from the account's other functions, and nothing costs at rest.
    assert not any("reservedConcurrentExecutions" in one for one in snapped.of("aws:lambda/function:Function"))
    assert snapped.of("aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig") == []
    assert not any("scalingConfig" in one for one in snapped.of("aws:lambda/eventSourceMapping:EventSourceMapping"))


def test_what_runs(image, snapped):
    for one in image.of("aws:lambda/function:Function"):
        assert (one["packageType"], one["imageUri"]) == ("Image", IMAGE)
        assert not {"handler", "runtime", "code", "sourceCodeHash", "snapStart"} & set(one)
    for one in snapped.of("aws:lambda/function:Function"):
        assert one["snapStart"] == {"applyOn": "PublishedVersions"} and one["runtime"] == "python3.13"
        assert "packageType" not in one and "imageUri" not in one


def test_the_feed_gives_nothing_up(snapped):
    feed = snapped.named("aws:lambda/eventSourceMapping:EventSourceMapping")["orders-dev-feed"]
    assert feed["bisectBatchOnFunctionError"] is True and feed["startingPosition"] == "TRIM_HORIZON"
    assert not {"maximumRetryAttempts", "maximumRecordAgeInSeconds", "destinationConfig"} & set(feed)


def test_every_role_is_bounded(image, snapped):
    roles = image.of("aws:iam/role:Role")
    assert len(roles) == len(SERVICE.units) + len(SERVICE.schedules)
    assert {one["permissionsBoundary"] for one in roles} == {BOUNDARY}
    assert not any("permissionsBoundary" in one for one in snapped.of("aws:iam/role:Role"))


def test_two_versions_are_kept_at_least(image, snapped):
    keeps = [
        [one["keep"] for one in stack.of("pulumi-python:dynamic:Resource") if "keep" in one]
        for stack in (image, snapped)
    ]
    assert keeps == [[2] * len(SERVICE.units), [5] * len(SERVICE.units)]
