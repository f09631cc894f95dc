"""`make certify`: without an account it explains itself; with one it runs suite and walk and writes a record. The stack's
outputs come from a stand-in for the Pulumi CLI and name ministack and a service on loopback."""

import json
import os
import subprocess
import sys

import pytest

from tests import certify
from tests.copies.copy import ROOT, Copy
from tests.emulators.fixtures import DUMMY
from tests.integration.doors import UNLIMITED
from tests.integration.local.service import Service
from tests.integration.tokens import bearer


def run(folder, *arguments, path="", **environ):
    known = {key: value for key, value in os.environ.items() if not key.startswith(("TWOFOLD_", "AWS_"))}
    environ = known | {"PATH": path or "/usr/bin:/bin"} | environ
    command = [sys.executable, "-m", "tests.certify", *arguments]
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True)


@pytest.mark.parametrize("cloud", ["azure", "aws"])
def test_without_an_account_it_says_what_is_missing(cloud):
    done = run(ROOT, cloud)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "the Pulumi CLI is not on PATH" in done.stderr and f"make up CLOUD={cloud}" in done.stderr


def stack(folder, **outputs):
    """A `pulumi` that has these outputs; its folder is to be put on PATH."""
    folder.mkdir()
    (folder / "pulumi").write_text(f"#!/bin/sh\necho '{json.dumps(outputs)}'\n")
    (folder / "pulumi").chmod(0o755)
    return f"{folder}:/usr/bin:/bin"


def test_without_a_token_it_says_so(tmp_path):
    done = run(ROOT, "aws", path=stack(tmp_path / "bin", region="eu-central-1"), TWOFOLD_TOKEN="none")
    assert done.returncode == 2 and "TWOFOLD_TOKEN must hold an access token" in done.stderr


def test_suite_and_walk_run_and_are_recorded(tmp_path, ministack):
    copy = Copy(tmp_path / "copy")
    (tmp_path / "checkout").mkdir()
    service = Service(tmp_path / "checkout", **UNLIMITED)
    try:
        path = stack(tmp_path / "bin", region="eu-central-1", url=service.url, store_url="dynamodb://eu-central-1/x")
        token = bearer(service.folder)["Authorization"].split(" ")[1]
        keys = {name.upper(): value for name, value in DUMMY.items()}
        done = run(
            copy.folder,
            "aws",
            "--only",
            "secrets",
            path=path,
            TWOFOLD_TOKEN=token,
            TWOFOLD_TEST_SECRETSMANAGER=ministack,
            **keys,
        )
    finally:
        service.kill()
    [written] = (copy.folder / "docs/certified").glob("*-aws.json")
    record = json.loads(written.read_text())
    assert done.returncode == 1 and record["certified"] is False  # one suite certifies nothing
    assert record["walk"] == "passed", record
    assert record["conformance"]["secrets"]["failed"] == 0 and record["conformance"]["secrets"]["passed"] > 5
    assert set(record["versions"]) == {"twofold", "boto3", "mangum"} and record["python"].startswith("3.13")
    assert certify.NOTHING in (copy.folder / "README.md").read_text()


def test_addresses_follow_from_a_stacks_outputs():
    outputs = {
        "region": "westeurope", "store_url": "cosmos://shop.documents.azure.com/orders",
        "queue_url": "storagequeue://shop.queue.core.windows.net/orders", "secrets_url": "keyvault://shop.vault.azure.net",
    }  # fmt: skip
    assert certify.addresses("azure", outputs) == {
        "TWOFOLD_TEST_COSMOS": "https://shop.documents.azure.com",
        "TWOFOLD_TEST_STORAGEQUEUE": "https://shop.queue.core.windows.net",
        "TWOFOLD_TEST_KEYVAULT": "https://shop.vault.azure.net",
        "TWOFOLD_TEST_REGION": "westeurope",
    }
    assert (
        certify.addresses("aws", {"region": "eu-west-1"})["TWOFOLD_TEST_SQS"] == "https://sqs.eu-west-1.amazonaws.com"
    )


PASSED = {"passed": 3, "failed": 0, "skipped": 0, "seconds": 1.0}


@pytest.mark.parametrize(
    ("changed", "walked", "certified"),
    [
        ({}, "", True),
        ({}, "AssertionError: 502", False),
        ({"queues": PASSED | {"failed": 1}}, "", False),
        ({"queues": PASSED | {"skipped": 1}}, "", False),
        ({"queues": PASSED | {"passed": 0}}, "", False),
    ],
)
def test_nothing_is_certified_that_did_not_all_pass(changed, walked, certified):
    suites = dict.fromkeys(("documents", "queues", "secrets"), PASSED) | changed
    record = certify.record("aws", "dev-aws", {"region": "eu-central-1", "artifact": "a"}, suites, walked)
    assert record["certified"] is certified


def test_the_readmes_first_screen_is_made_of_the_records():
    readme = (ROOT / "README.md").read_text()
    assert certify.show(readme, certify.summary(certify.stored())) == readme
    assert readme.index(certify.BEGIN) < 2500
    one = {"cloud": "azure", "date": "2027-01-02", "region": "westeurope", "commit": "abc", "certified": True}
    line = certify.summary([one, one | {"date": "2027-01-01"}, one | {"cloud": "aws", "certified": False}])
    assert "Azure on 2027-01-02 (westeurope, commit abc)" in line and "AWS" not in line
