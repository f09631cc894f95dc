"""Releases on AWS: real boto3 against ministack's Lambda, and the two commands as an operator uses them.

ministack moves an alias to any version, also one that does not exist, where Lambda answers 404; and it serves the newest code
for every version that is asked for.
"""

import hashlib
import io
import json
import os
import subprocess
import sys
import time
import uuid
import zipfile
from pathlib import Path

import boto3
import pytest

from tests.copies.copy import ROOT
from tests.emulators.fixtures import DUMMY, REGION
from twofold.deploy.aws.releases import Releases
from twofold.deploy.releases import ReleaseError, chosen

TWOFOLD = Path(sys.executable).with_name("twofold")


def code(text):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr(zipfile.ZipInfo("lambda_function.py"), text)
    return data.getvalue()


def digest(text):
    return hashlib.sha256(code(text)).hexdigest()


class Stack:
    """Two units, on each the versions of one release after another; the alias on the last one."""

    def __init__(self, endpoint, *releases):
        self.client = boto3.client("lambda", region_name=REGION, endpoint_url=endpoint, **DUMMY)
        self.prefix = f"t{uuid.uuid4().hex[:8]}"
        self.units = {role: f"{self.prefix}-{role}" for role in ("http", "worker")}
        self.url = f"lambda://{REGION}/{self.prefix}?endpoint={endpoint}"
        for name in self.units.values():
            self.client.create_function(
                FunctionName=name, Runtime="python3.13", Role="arn:aws:iam::000000000000:role/x", Handler="lambda_function.x",
                Code={"ZipFile": code("first, unpublished")},
            )  # fmt: skip
            for text in releases:
                self.publish(name, text)
            self.client.create_alias(FunctionName=name, Name="live", FunctionVersion=str(len(releases)))

    def publish(self, name, text):
        self.client.update_function_code(FunctionName=name, ZipFile=code(text))
        self.client.update_function_configuration(FunctionName=name, Description=uuid.uuid4().hex)
        return self.client.publish_version(FunctionName=name)["Version"]

    def live(self):
        return {
            role: self.client.get_alias(FunctionName=name, Name="live")["FunctionVersion"]
            for role, name in self.units.items()
        }


@pytest.fixture
def stack(ministack, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    return Stack(ministack, "a", "b", "b", "c")


def test_they_are_the_versions_by_their_codes_digest_and_the_alias_is_live(stack):
    releases = Releases(stack.url, stack.units).read()
    assert {one.digest for one in releases} == {digest(text) for text in "abc"}
    assert [one.live for one in releases if one.digest == digest("c")] == [("http", "worker")]
    assert [one.when for one in releases] == sorted((one.when for one in releases), reverse=True)


def test_every_unit_goes_to_its_newest_version_with_the_digest(stack):
    name = stack.units["http"]
    weights = {"AdditionalVersionWeights": {"1": 0.1}}
    stack.client.update_alias(FunctionName=name, Name="live", FunctionVersion="4", RoutingConfig=weights)
    releases = Releases(stack.url, stack.units)
    releases.activate(digest("b"))
    assert stack.live() == {"http": "3", "worker": "3"}
    assert "RoutingConfig" not in stack.client.get_alias(FunctionName=name, Name="live")
    assert [one.digest for one in releases.read() if one.live] == [digest("b")]
    releases.activate(digest("c"))
    assert stack.live() == {"http": "4", "worker": "4"}


def test_a_release_that_one_unit_lacks_changes_nothing(stack):
    version = stack.publish(stack.units["http"], "d")
    assert version == "5"
    with pytest.raises(ReleaseError, match=r"worker has no version of .*nothing was changed"):
        Releases(stack.url, stack.units).activate(digest("d"))
    assert stack.live() == {"http": "4", "worker": "4"}


def test_when_one_unit_can_not_be_moved_the_others_go_back(stack):
    weights = {"AdditionalVersionWeights": {"1": 0.1}}
    stack.client.update_alias(FunctionName=stack.units["http"], Name="live", FunctionVersion="4", RoutingConfig=weights)
    releases = Releases(stack.url, stack.units)

    def meanwhile(params, **_):
        if stack.units["worker"] in params["url_path"]:  # somebody else moves it
            stack.client.update_alias(FunctionName=stack.units["worker"], Name="live", FunctionVersion="2")

    releases._client.meta.events.register("before-call.lambda.UpdateAlias", meanwhile)
    with pytest.raises(ReleaseError, match=r"PreconditionFailed.*every unit runs what it ran before"):
        releases.activate(digest("a"))
    assert stack.live() == {"http": "4", "worker": "2"}  # as the other one left it
    assert stack.client.get_alias(FunctionName=stack.units["http"], Name="live")["RoutingConfig"] == weights


def test_its_code_comes_back_byte_for_byte_or_not_at_all(stack):
    releases = Releases(stack.url, stack.units)
    assert releases.fetch(digest("c")) == code("c")
    with pytest.raises(ReleaseError, match="has another digest"):
        releases.fetch(digest("a"))  # ministack gives c's
    with pytest.raises(ReleaseError, match="no version"):
        releases.fetch(digest("z"))


def test_a_stack_that_is_not_there_is_one_line(stack):
    with pytest.raises(ReleaseError, match=r"could not read the releases: .*ResourceNotFound"):
        Releases(stack.url, {"http": "nothing-here"}).read()


def test_which_one_is_meant(stack):
    releases = Releases(stack.url, stack.units).read()
    newest_first = [one.digest for one in releases]
    live = newest_first.index(digest("c"))
    if live + 1 < len(releases):
        assert chosen(releases, None) == releases[live + 1]
    assert chosen(releases, digest("a")[:10]).digest == digest("a")
    with pytest.raises(ReleaseError, match=r"no releases have a digest that begins with 'zz'; there are [0-9a-f]{16}"):
        chosen(releases, "zz")
    with pytest.raises(ReleaseError, match="3 releases"):
        chosen(releases, "")
    with pytest.raises(ReleaseError, match="no release before the live one"):
        chosen([one for one in releases if one.live], None)


class Operator:
    """`twofold …` in a service's folder, with a `pulumi` that knows the outputs of the stack acme-prod-aws alone."""

    def __init__(self, folder, stack):
        self.folder = folder
        (folder / "api").symlink_to(ROOT / "api")
        outputs = {"units": stack.units, "releases_url": stack.url, "artifact": digest("c")}
        cli = folder / "bin" / "pulumi"
        cli.parent.mkdir()
        cli.write_text(
            f"""#!/bin/sh\n[ "$5" = acme-prod-aws ] && echo '{json.dumps(outputs)}' || {{ echo no stack >&2; exit 1; }}\n"""
        )
        cli.chmod(0o755)
        self.environ = os.environ | {"COLUMNS": "160", "PATH": f"{cli.parent}{os.pathsep}{os.environ['PATH']}"}

    def __call__(self, *arguments, code=0, env="acme-prod", value=""):
        done = subprocess.run(
            [TWOFOLD, *arguments, "--cloud", "aws", "--env", env], cwd=self.folder, env=self.environ, input=value,
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == code and "Traceback" not in done.stderr, done.stdout + done.stderr
        return done.stderr if code else done.stdout


def test_an_operator_lists_rolls_back_and_pins(stack, tmp_path):
    twofold = Operator(tmp_path, stack)
    [line] = [line for line in twofold("releases").splitlines() if digest("c")[:16] in line]
    assert "live" in line and "UTC" in line
    assert twofold("rollback", "--to", digest("a")[:12], value="n\n", code=1)
    assert stack.live() == {"http": "4", "worker": "4"}
    output = twofold("rollback", "--to", digest("a")[:12], "--yes")
    assert stack.live() == {"http": "1", "worker": "1"}
    assert f"pulumi config set twofold:artifact {digest('a')} --stack acme-prod-aws" in output
    assert f"Pulumi's state still says {digest('c')}" in output
    assert "is live already" in twofold("rollback", "--to", digest("a"), "--yes")
    back = twofold("rollback", "--to", digest("c"), "--yes")
    assert stack.live() == {"http": "4", "worker": "4"} and "state says so too" in back


def test_an_operator_fetches_what_another_stack_deploys(stack, tmp_path):
    twofold = Operator(tmp_path, stack)
    output = twofold("releases", "--fetch", digest("c")[:12])
    assert (tmp_path / ".build" / f"orders-aws-{digest('c')[:16]}.zip").read_bytes() == code("c")
    assert f"pulumi config set twofold:artifact {digest('c')}" in output


def test_a_program_is_told_the_same(stack, tmp_path):
    twofold = Operator(tmp_path, stack)
    listed = json.loads(twofold("releases", "--json"))
    assert {one["digest"]: one["live"] for one in listed} == {
        digest("a"): [], digest("b"): [], digest("c"): ["http", "worker"],
    }  # fmt: skip
    assert all(0 <= time.time() - one["deployed_at"] < 600 for one in listed)
    fetched = json.loads(twofold("releases", "--fetch", digest("c")[:12], "--json"))
    assert fetched["digest"] == digest("c") and Path(fetched["path"]).read_bytes() == code("c")
    moved = {"stack": "acme-prod-aws", "digest": digest("a"), "changed": True, "in_state": digest("c")}
    assert json.loads(twofold("rollback", "--to", digest("a"), "--yes", "--json")) == moved
    assert stack.live() == {"http": "1", "worker": "1"}
    assert json.loads(twofold("rollback", "--to", digest("a"), "--json")) == moved | {"changed": False}


def test_an_operators_mistakes_are_one_line(stack, tmp_path):
    twofold = Operator(tmp_path, stack)
    assert "pulumi has no outputs of the stack prod-aws" in twofold("releases", env="prod", code=2)
    assert "no releases have a digest" in twofold("rollback", "--to", "zz", "--yes", code=2)
