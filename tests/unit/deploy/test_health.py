"""The health check of a Lambda version: what counts as healthy, what is told, how long it is asked. boto3, its answers stubbed."""

import base64
import io
import json

import boto3
import pytest
from botocore.response import StreamingBody
from botocore.stub import ANY, Stubber

from tests.emulators.fixtures import DUMMY, REGION
from twofold.deploy.aws.health import READY, REQUEST, ask, reason
from twofold.deploy.retry import Retry
from twofold.deploy.user_errors import Unhealthy

ONCE = Retry(0, 0)
NAMED = {"FunctionName": "shop", "Qualifier": "7"}


@pytest.fixture
def lambda_():
    return boto3.client("lambda", region_name=REGION, **DUMMY)


def answers(stub, answer, *, log="", error=None, event=ANY):
    payload = json.dumps(answer).encode()
    response = {"StatusCode": 200, "Payload": StreamingBody(io.BytesIO(payload), len(payload))}
    response |= {"LogResult": base64.b64encode(log.encode()).decode()} if log else {}
    response |= {"FunctionError": error} if error else {}
    sent = event if event is ANY else json.dumps(event)
    stub.add_response("invoke", response, NAMED | {"LogType": "Tail", "Payload": sent})


def state(stub, state, **more):
    stub.add_response("get_function_configuration", {"State": state, **more}, NAMED)


def problem(lambda_):
    with pytest.raises(Unhealthy) as failed:
        ask(lambda_, "shop", "7", [READY], ONCE)
    return str(failed.value)


@pytest.mark.parametrize(
    ("answer", "healthy"),
    [
        ({"status": "ready"}, True), ({"status": "degraded"}, True), ({"status": "down"}, False), (None, False),
        ({"statusCode": 200}, True), ({"statusCode": 404}, True), ({"statusCode": 403}, True),
        ({"statusCode": 503, "body": "{}"}, False), ({"batchItemFailures": []}, False),
    ],
)  # fmt: skip
def test_what_counts_as_healthy(lambda_, answer, healthy):
    with Stubber(lambda_) as stub:
        state(stub, "Active")
        answers(stub, answer, event=READY)
        if healthy:
            ask(lambda_, "shop", "7", [READY], ONCE)
        else:
            assert problem(lambda_).startswith("shop version 7 answered its health check")
        stub.assert_no_pending_responses()


def test_a_function_that_raises_is_unhealthy_whatever_it_says(lambda_):
    with Stubber(lambda_) as stub:
        state(stub, "Active")
        log = (
            "START RequestId: 1\n[ERROR] RuntimeError: no table\nTraceback (most recent call last):\nEND RequestId: 1\n"
        )
        answers(stub, {"status": "ready"}, error="Unhandled", log=log)
        assert "its log says: [ERROR] RuntimeError: no table" in problem(lambda_)


def test_it_waits_for_the_snapshot_and_for_permissions_to_be_known(lambda_):
    with Stubber(lambda_) as stub:
        state(stub, "Pending")
        state(stub, "Active")
        stub.add_client_error("invoke", "AccessDeniedException", "not yet")
        answers(stub, {"status": "down"})
        answers(stub, {"status": "ready"}, event=READY)
        answers(stub, {"statusCode": 200}, event=REQUEST)
        ask(lambda_, "shop", "7", [READY, REQUEST], Retry(30, 0.01))
        stub.assert_no_pending_responses()


def test_a_version_that_never_becomes_active_says_why(lambda_):
    with Stubber(lambda_) as stub:
        state(stub, "Failed", StateReason="the snapshot could not be taken")
        message = problem(lambda_)
    assert message.startswith("shop version 7 did not become active: the snapshot could not be taken")


def test_a_deployer_who_may_not_invoke_is_told(lambda_):
    with Stubber(lambda_) as stub:
        state(stub, "Active")
        stub.add_client_error("invoke", "AccessDeniedException", "lambda:InvokeFunction is missing")
        message = problem(lambda_)
    assert message.startswith("shop version 7 could not be invoked: ") and "lambda:InvokeFunction is missing" in message


@pytest.mark.parametrize(
    ("log", "line"),
    [
        ("", "nothing"),
        ("START RequestId: 1\nhello\nREPORT RequestId: 1 Duration: 3 ms\n", "hello"),
        ("one\nstore is down: no answer within 2 seconds\nGET /health/ready 503\nEND 1",
         "store is down: no answer within 2 seconds | GET /health/ready 503"),
        ('{"log.level": "info"}\n{"log.level":"error","message":"m"}\n17\n{"x": 1}', 'm | 17 | {"x": 1}'),
        ('{"log.level": "warning", "message": "store is down", "error.message": "refused"}', "store is down refused"),
        ("INIT_START Runtime\ntwofold: settings are wrong:\n  - TWOFOLD_STORE_URL is missing\n",
         "twofold: settings are wrong: | - TWOFOLD_STORE_URL is missing"),
    ],
)  # fmt: skip
def test_the_line_that_tells_why(log, line):
    assert reason(log) == line
