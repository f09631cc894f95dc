"""Releases on AWS: the real engine, Pulumi's own plugin for dynamic resources, boto3, and functions that ministack runs.

Only AWS's Pulumi provider is stood in for: what it is told of functions and aliases it does on ministack.
"""

import gc
import io
import json
import os
import sys
import zipfile

import boto3
import pulumi
import pytest
from pulumi import automation
from pulumi_aws import Provider, lambda_

from tests.emulators.fixtures import DUMMY, REGION
from tests.emulators.tool import needing
from tests.engine.engine import Engine
from tests.engine.provider import StandIn, plain
from tools import pulumi_cli
from twofold.deploy.aws.release import LIVE, Release
from twofold.deploy.config import StackConfig

# The engine cuts an inline program short when a resource fails; what is left of it is collected in the fixture.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
ROLES = ("http", "worker")
PLUGIN = """#!{python} -u
import runpy, twofold.deploy.aws.health as health
health.START = health.Retry(1, 1)
runpy.run_module("pulumi.dynamic")
"""
"""Pulumi's `pulumi-resource-pulumi-python`, but that a version has a second to become healthy."""
CODE = """
import json, os

def handle(event, context):
    asked = "statusCode" if "requestContext" in event else "status"
    assert asked == "status" or event["rawPath"] == "/health/ready"
    assert asked == "statusCode" or event == {{"twofold": {{"health": "ready"}}}}
    down = os.path.exists({flag!r}) or {broken}
    if down:
        print(json.dumps({{"log.level": "warning", "message": "store is down: no route to {release}"}}))
    answer = {{"status": "down" if down else "degraded", "release": {release!r}}}
    return answer | ({{"statusCode": 503 if down else 200}} if asked == "statusCode" else {{}})
"""


class Account(StandIn):
    """`release` names what the next version of every function runs; in `broken` roles it answers that it is down."""

    def __init__(self, endpoint, flag):
        super().__init__()
        self.lambda_ = boto3.client("lambda", region_name=REGION, endpoint_url=endpoint, **DUMMY)
        self.release, self.broken, self.flag = "one", (), str(flag)

    def debug_providers(self):
        return f"aws:{self.port}"

    def Create(self, request, context):
        response, (token, inputs) = super().Create(request, context), type_and_inputs(request.urn, request.properties)
        if request.preview:
            return response
        if token == "aws:lambda/function:Function":
            done = self.lambda_.create_function(
                FunctionName=inputs["name"], Runtime="python3.13", Handler="main.handle", Role=inputs["role"],
                Publish=True, Code={"ZipFile": self.zip(inputs["name"])},
            )  # fmt: skip
            response.properties["version"] = done["Version"]
        if token == "aws:lambda/alias:Alias":
            self.lambda_.create_alias(
                FunctionName=inputs["functionName"], Name=inputs["name"], FunctionVersion=inputs["functionVersion"]
            )
        return response

    def Update(self, request, context):
        response, (token, inputs) = super().Update(request, context), type_and_inputs(request.urn, request.news)
        if request.preview:
            return response
        if token == "aws:lambda/function:Function":
            done = self.lambda_.update_function_code(
                FunctionName=inputs["name"], ZipFile=self.zip(inputs["name"]), Publish=True
            )
            response.properties["version"] = done["Version"]
        if token == "aws:lambda/alias:Alias":
            self.lambda_.update_alias(
                FunctionName=inputs["functionName"], Name=inputs["name"], FunctionVersion=inputs["functionVersion"]
            )
        return response

    def zip(self, function):
        broken = function.rpartition("-")[2] in self.broken
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("main.py", CODE.format(flag=self.flag, broken=broken, release=self.release))
        return packed.getvalue()

    def versions(self, role):
        versions = self.lambda_.list_versions_by_function(FunctionName=f"shop-dev-{role}")["Versions"]
        return [version["Version"] for version in versions if version["Version"] != "$LATEST"]

    def live(self, role):
        """The version that `live` is, and which release answers there."""
        function = f"shop-dev-{role}"
        version = self.lambda_.get_alias(FunctionName=function, Name=LIVE)["FunctionVersion"]
        event = json.dumps({"twofold": {"health": "ready"}})
        done = self.lambda_.invoke(FunctionName=function, Qualifier=LIVE, Payload=event)
        return version, json.load(done["Payload"])["release"]


def type_and_inputs(urn, properties):
    return urn.split("::")[2].split("$")[-1], plain(properties)


def program():
    config = pulumi.Config("shop")
    provider = Provider("aws", region=REGION)
    functions = {
        role: lambda_.Function(
            f"shop-dev-{role}", name=f"shop-dev-{role}", role="arn:aws:iam::123456789012:role/r", publish=True,
            source_code_hash=config.require("digest"), opts=pulumi.ResourceOptions(provider=provider),
        )
        for role in ROLES
    }  # fmt: skip
    stack = StackConfig("aws", "dev", REGION, "https://issuer.example", "shop", releases=config.require_int("releases"))
    Release("shop-dev", config=stack, functions=functions, opts=pulumi.ResourceOptions(providers=[provider]))


class Stack:
    """A stack of two units: `up` deploys a release, of which the roles `broken` are down."""

    def __init__(self, folder, endpoint):
        self.outage = folder / "outage"
        self.account = Account(endpoint, self.outage)
        self.engine = Engine(folder, "dev-aws", {}, program, "shop", standin=self.account)

    def up(self, release, *, broken=(), releases=2):
        self.account.release, self.account.broken = release, broken
        self.engine.configure({"shop:digest": release, "shop:releases": str(releases)})
        return self.engine.up()

    def fails(self, release, **arguments):
        with pytest.raises(automation.CommandError) as failed:
            self.up(release, **arguments)
        return str(failed.value)

    def live(self):
        return {role: self.account.live(role) for role in ROLES}


@pytest.fixture
def stack(tmp_path, ministack, monkeypatch):
    needing(pulumi_cli.find)
    plugin = tmp_path / "bin" / "pulumi-resource-pulumi-python"
    plugin.parent.mkdir()
    plugin.write_text(PLUGIN.format(python=sys.executable))
    plugin.chmod(0o755)
    monkeypatch.setenv("PATH", f"{plugin.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("AWS_ENDPOINT_URL", ministack)
    for name in DUMMY:
        monkeypatch.setenv(name.upper(), "local")
    stack = Stack(tmp_path, ministack)
    yield stack
    stack.engine.close()
    gc.collect()
    for role in ROLES:
        stack.account.lambda_.delete_function(FunctionName=f"shop-dev-{role}")


def test_an_unhealthy_version_fails_the_update_and_gets_no_traffic(stack):
    stack.up("one")
    assert stack.live() == {"http": ("1", "one"), "worker": ("1", "one")}
    assert set(stack.up("one")) == {"same"}

    message = stack.fails("two", broken=("worker",))
    assert "no unit's `live` has moved" in message
    assert "shop-dev-worker version 2 answered its health check with" in message and '"status": "down"' in message
    assert "store is down: no route to two" in message and "shop-dev-http version" not in message
    assert "Traceback" not in message
    # Neither the unit that is down nor the other one, which is not.
    assert stack.live() == {"http": ("1", "one"), "worker": ("1", "one")}

    message = stack.fails("three", broken=ROLES)
    assert "shop-dev-http version 3" in message and "shop-dev-worker version 3" in message

    stack.up("four")
    assert stack.live() == {"http": ("4", "four"), "worker": ("4", "four")}
    # What never was live is not kept: it is nothing to roll back to.
    assert {role: stack.account.versions(role) for role in ROLES} == {role: ["1", "4"] for role in ROLES}


def test_the_next_update_asks_the_same_version_again(stack):
    """The store was down, not the version: nothing has to be published anew."""
    stack.up("one")
    stack.outage.touch()
    assert "no route to two" in stack.fails("two")
    stack.outage.unlink()
    assert set(stack.up("two")) == {"same", "update"}
    assert stack.live() == {"http": ("2", "two"), "worker": ("2", "two")}


def test_a_first_version_that_is_down_leaves_a_stack_that_the_next_update_completes(stack):
    stack.outage.touch()
    assert "no route to one" in stack.fails("one")
    assert stack.account.lambda_.list_aliases(FunctionName="shop-dev-http")["Aliases"] == []
    stack.outage.unlink()
    stack.up("one")
    assert stack.live() == {"http": ("1", "one"), "worker": ("1", "one")}


def test_the_last_releases_are_kept_and_one_can_go_back(stack):
    for release in ("one", "two", "three"):
        stack.up(release)
    assert stack.account.versions("http") == ["2", "3"]
    # What `twofold rollback` does.
    stack.account.lambda_.update_alias(FunctionName="shop-dev-http", Name=LIVE, FunctionVersion="2")
    assert stack.account.live("http") == ("2", "two")
    stack.up("four", releases=1)
    assert stack.live() == {"http": ("4", "four"), "worker": ("4", "four")}
    # Never fewer than two: calls still reach the version before.
    assert stack.account.versions("http") == ["3", "4"]
