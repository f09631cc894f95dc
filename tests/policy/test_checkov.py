"""Checkov over both captured stacks, in production's shape with the edge and the cache; then with a network and a key as well.

Scanned as what the clouds themselves would be asked for: AWS as a Terraform plan, Azure as an ARM template. Of the
rest, the dynamic resource (the artifact's upload), the resource group and the edge's random value are no
cloud resources that it has rules for.
"""

from pathlib import Path

import pytest
import yaml

from tests.emulators.tool import needing
from tests.policy import arm_template, terraform_plan
from tests.stacks.captured import Captured
from tests.stacks.options import ENCRYPTION, ON
from tools import checkov

EXCEPTIONS = yaml.safe_load((Path(__file__).parent / "exceptions.yaml").read_text())
FORM = {"aws": (terraform_plan, "terraform_plan"), "azure": (arm_template, "arm")}
LEAST = 0.95
CLOSED = {cloud: {"network": "private", **key} for cloud, key in ENCRYPTION.items()}
"""With it nothing is excused that an exception puts down to their lack (`until`)."""


@pytest.fixture(scope="module")
def scanned(cloud, tmp_path_factory):
    """Passed and failed as (check, logical name), and the stack that was scanned."""
    return scan(cloud, tmp_path_factory.mktemp(cloud))


@pytest.fixture(scope="module")
def closed(cloud, tmp_path_factory):
    return scan(cloud, tmp_path_factory.mktemp(f"{cloud}-closed"), **CLOSED[cloud])


def scan(cloud, folder, **changed):
    needing(checkov.fetch)
    stack = Captured(
        folder, cloud, edge="waf", cache="redis", protect="true", static="docs", domain="orders.example.com",
        dnsZone=ON[cloud]["dnsZone"], budget="100", alertEmail="ops@shop.example", **changed,
    )  # fmt: skip
    form, framework = FORM[cloud]
    document, names = form.convert(stack.resources)
    results = checkov.scan(document, framework)
    passed, failed = (
        [(one["check_id"], names[one["resource"]].split(" ", 1)[1]) for one in results[f"{kind}_checks"]]
        for kind in ("passed", "failed")
    )
    return passed, failed, stack, names


def excused(check, name):
    return [one for one in EXCEPTIONS if one["check"] == check and ({"*", name} & set(one["resources"]))]


def test_what_has_no_reason_passes(scanned):
    passed, failed, _, _ = scanned
    open_ = [one for one in failed if not excused(*one)]
    rate = len(passed) / (len(passed) + len(open_))
    print(f"passed {len(passed)}, excused {len(failed) - len(open_)}, open {len(open_)}")
    assert rate >= LEAST, open_
    assert open_ == []  # what is new gets fixed, or a reason


def test_a_network_and_a_key_need_fewer_excuses(scanned, closed):
    passed, failed, _, _ = closed
    open_ = [finding for finding in failed if all("until" in one for one in excused(*finding))]
    print(f"closed: passed {len(passed)}, excused {len(failed)}")
    assert open_ == [] and len(failed) < len(scanned[1])


def test_every_resource_that_has_a_form_is_in_it(closed):
    _, _, stack, names = closed
    kinds = {token for token, _ in stack.resources.values()}
    left = kinds - {name.split(" ")[0] for name in names.values()}
    assert left <= {
        "pulumi-python:dynamic:Resource", "azure-native:resources:ResourceGroup", "random:index/randomPassword:RandomPassword",
        "pulumi:pulumi:Stash",
    }  # fmt: skip
    scanned_kinds = {name.split(" ")[1] for name in names.values()}
    assert scanned_kinds and len(closed[0]) > 60


def test_exceptions_have_reasons_and_excuse_something(scanned, closed):
    (_, failed, _, _), (_, more, stack, _) = scanned, closed
    prefix = {"aws": ("CKV_AWS_", "CKV2_AWS_"), "azure": ("CKV_AZURE_", "CKV2_AZURE_")}[stack.cloud]
    mine = [one for one in EXCEPTIONS if one["check"].startswith(prefix)]
    used = [one for finding in [*failed, *more] for one in excused(*finding)]
    assert [one["check"] for one in mine if one not in used] == []
    assert all(len(one["reason"]) > 25 and one["resources"] for one in EXCEPTIONS)
    names = [(one["check"], name) for one in EXCEPTIONS for name in one["resources"]]
    assert len(names) == len(set(names))
    broad = {name for one in mine for name in one["resources"]} - {"*"}
    assert broad <= {urn.rpartition("::")[2] for urn in stack.resources}


WORSE = {
    "aws": {
        "CKV_AWS_28": ("aws:dynamodb/table:Table", {"pointInTimeRecovery": {"enabled": False}}),
        "CKV_AWS_27": ("aws:sqs/queue:Queue", {"sqsManagedSseEnabled": False}),
    },
    "azure": {
        "CKV_AZURE_44": ("azure-native:storage:StorageAccount", {"minimumTlsVersion": "TLS1_0"}),
        "CKV_AZURE_14": ("azure-native:web:WebApp", {"httpsOnly": False}),
    },
}


def test_the_scanner_sees_what_the_stacks_say(scanned):
    """The conversion is no fig leaf: a worse stack fails."""
    _, failed, stack, _ = scanned
    changes = dict(WORSE[stack.cloud].values())
    assert not set(WORSE[stack.cloud]) & {check for check, _ in failed}
    form, framework = FORM[stack.cloud]
    worse = {urn: (kind, inputs | changes.get(kind, {})) for urn, (kind, inputs) in stack.resources.items()}
    ids = {one["check_id"] for one in checkov.scan(form.convert(worse)[0], framework)["failed_checks"]}
    assert set(WORSE[stack.cloud]) <= ids
