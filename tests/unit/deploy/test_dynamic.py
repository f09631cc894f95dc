"""The dynamic resources in the provider that Pulumi has for them, over gRPC, as the engine calls it."""

import os
import subprocess
import sys
import traceback

import grpc
import pytest
from azure.core.exceptions import ServiceRequestError
from botocore.exceptions import EndpointConnectionError
from google.protobuf import json_format, struct_pb2
from pulumi.dynamic.dynamic import serialize_provider
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from tests.copies.copy import ROOT
from tests.unit.deploy.test_health_check import READY, Service
from twofold.deploy.aws import health as aws_health
from twofold.deploy.aws import release as aws_release
from twofold.deploy.azure import blobs, code, health, release
from twofold.deploy.user_errors import hide_tracebacks


@pytest.fixture(scope="module")
def provider(tmp_path_factory):
    """The plugin's own process, which prints its port; nobody is logged in there."""
    nowhere = str(tmp_path_factory.mktemp("nobody") / "none")
    environ = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")} | {
        "AWS_CONFIG_FILE": nowhere, "AWS_SHARED_CREDENTIALS_FILE": nowhere, "AWS_EC2_METADATA_DISABLED": "true",
        "AZURE_TOKEN_CREDENTIALS": "AzureCliCredential", "PATH": "/nowhere",
    }  # fmt: skip
    command = [sys.executable, "-u", "-m", "pulumi.dynamic"]
    with subprocess.Popen(
        command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        with grpc.insecure_channel(f"127.0.0.1:{process.stdout.readline().strip()}") as channel:
            yield provider_pb2_grpc.ResourceProviderStub(channel)
        process.terminate()


def properties(module, **props):
    return json_format.ParseDict({"__provider": serialize_provider(module._Provider()), **props}, struct_pb2.Struct())


def test_a_check_that_passes_leaves_the_status_in_the_state(provider):
    with Service("new") as service:
        asked = {"url": f"http://{service.host}", "release": "new", "confirmed": True, "app": "/a", "source": "s"}
        response = provider.Create(provider_pb2.CreateRequest(properties=properties(health, **asked)))
    assert json_format.MessageToDict(response.properties)["status"] == READY["status"] and response.id == "/a#health"


def test_a_failure_reaches_the_user_as_one_message(provider, tmp_path):
    planned = {"app": "orders", "path": str(tmp_path / "gone.zip"), "digest": "d"}
    with pytest.raises(grpc.RpcError) as failed:
        provider.Create(provider_pb2.CreateRequest(properties=properties(code, **planned)))
    path = planned["path"]
    assert failed.value.details() == f"{path} is not the artifact that was planned; run pulumi up again"


UNIT = {"function": "orders-http", "version": "1", "region": "eu-central-1", "assume_role": "", "external_id": ""}
ROLE = "arn:aws:iam::123456789012:role/deployer"
BLOBS = {"account": "orders", "container": "static", "path": "/nowhere", "files": {}}


@pytest.mark.parametrize(
    ("module", "props", "message"),
    [
        (aws_health, UNIT | {"http": True}, "no AWS login on this machine has credentials; run: aws sso login"),
        (aws_health, UNIT | {"http": True, "assume_role": ROLE}, "no AWS login on this machine has credentials"),
        (aws_release, UNIT | {"keep": 2}, "no AWS login on this machine has credentials; run: aws sso login"),
        (blobs, BLOBS, "no Azure login on this machine gives a token; run: az login"),
    ],
)
def test_nobody_who_is_logged_in_is_one_line(provider, module, props, message):
    with pytest.raises(grpc.RpcError) as failed:
        provider.Create(provider_pb2.CreateRequest(properties=properties(module, **props)))
    assert failed.value.details().startswith(message) and "\n" not in failed.value.details()


@pytest.mark.parametrize("kind", [EndpointConnectionError, ServiceRequestError])
def test_what_an_sdk_says_is_one_line_too(monkeypatch, kind):
    monkeypatch.setattr(traceback, "format_exc", traceback.format_exc)
    hide_tracebacks()
    try:
        raise kind(endpoint_url="https://x") if kind is EndpointConnectionError else kind("no\nroute")
    except Exception:
        line = traceback.format_exc()
    assert line.startswith(f"{kind.__name__}: ") and "\n" not in line


def test_a_mistake_of_ours_keeps_its_traceback(provider):
    with pytest.raises(grpc.RpcError) as failed:
        provider.Create(provider_pb2.CreateRequest(properties=properties(code, app="orders")))
    assert "Traceback" in failed.value.details() and "KeyError: 'path'" in failed.value.details()


@pytest.mark.parametrize(
    ("module", "before", "after", "changes", "replaces"),
    [
        (code, {"app": "a", "digest": "1"}, {"app": "a", "digest": "1", "path": "/elsewhere"}, 1, []),
        (code, {"app": "a", "digest": "1"}, {"app": "a", "digest": "2"}, 2, []),
        (code, {"app": "a", "digest": "1"}, {"app": "b", "digest": "1"}, 2, ["app"]),
        (code, {"app": "a", "container": "c"}, {"app": "a", "container": "other"}, 2, []),
        (release, {"url": "u", "digest": "1", "count": 5}, {"url": "u", "digest": "1", "count": 5}, 1, []),
        (release, {"url": "u", "digest": "1", "count": 5}, {"url": "u", "digest": "1", "count": 3}, 2, []),
        (
            health,
            {"url": "u", "release": "1", "app": "a"},
            {"url": "u", "release": "1", "app": "a", "source": "s"},
            1,
            [],
        ),
        (health, {"url": "u", "release": "1", "app": "a"}, {"url": "u", "release": "2", "app": "a"}, 2, []),
    ],
)
def test_only_what_counts_makes_a_change(provider, module, before, after, changes, replaces):
    request = provider_pb2.DiffRequest(id="i", olds=properties(module, **before), news=properties(module, **after))
    answer = provider.Diff(request)
    assert answer.changes == changes and list(answer.replaces) == replaces
