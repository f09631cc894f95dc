"""Where a command acts: said before it acts, and never silently in another place than the one that was asked for."""

import json
import uuid

import boto3
import pytest

from tests.emulators.fixtures import DUMMY, REGION
from tests.integration.cli.commands import pulumi, service, typed

OPERATORS = (
    "secret list", "secret set payment-api-key", "dlq list payments", "dlq show payments m-1", "dlq redrive payments",
    "dlq purge payments", "dlq list orders", "dlq redrive payment-outbox", "catchup", "rebuild orders",
)  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    return service(tmp_path / "service")


def test_a_stack_without_outputs_is_not_this_folder(folder, tmp_path):
    clouds = [f"{command} --cloud {cloud}" for cloud in ("azure", "aws") for command in OPERATORS]
    for outcome in typed(folder, *clouds, **pulumi(tmp_path / "bin", {"store_url": ""})):
        stack = f"dev-{outcome.command.rpartition(' ')[2]}"
        assert (outcome.code, outcome.stdout, outcome.stderr.count("\n")) == (2, "", 1), outcome
        assert outcome.stderr.startswith(f"twofold: the stack {stack} tells no ")
        assert f"pulumi up --stack {stack}" in outcome.stderr
    assert not (folder / ".data").exists()


def test_a_stack_without_its_events_is_not_this_folder_for_what_handlers_publish(folder, tmp_path):
    outputs = {
        "store_url": "dynamodb://eu-central-1/x",
        "queue_url": "sqs://eu-central-1/x",
        "secrets_url": "file:///x",
    }
    [outcome] = typed(folder, "catchup --cloud aws", **pulumi(tmp_path / "bin", outputs))
    assert outcome.code == 2 and "tells no events_url" in outcome.stderr


def test_here_is_said_with_the_folder(folder):
    here = f"acts here, in {folder}: "
    everything = f"{here}sqlite:///.data/twofold.db, log:, file:///.data/secrets\n"
    expected = {
        "secret list": f"{here}file:///.data/secrets\n",
        "secret set payment-api-key": f"{here}file:///.data/secrets\n",
        "dlq list payments --json": f"{here}sqlite:///.data/twofold.db\n",
        "token": f"{here}.data/development-issuer.json\n",
        "catchup": everything,
        "dlq redrive orders": everything,
    }
    outcomes = typed(folder, *expected, "dlq purge payments")
    assert {outcome.command: outcome.stderr for outcome in outcomes[:-1]} == expected
    assert outcomes[-1].code == 1 and outcomes[-1].stderr.index("acts here, in ") < outcomes[-1].stderr.index(
        "for ever?"
    )


def test_a_stack_is_said_with_its_parts(folder, tmp_path, ministack):
    prefix = f"w{uuid.uuid4().hex[:8]}"
    queues = boto3.client("sqs", region_name=REGION, endpoint_url=ministack, **DUMMY)
    queues.create_queue(QueueName=f"{prefix}-payments-poison")
    url, releases = f"sqs://{REGION}/{prefix}?endpoint={ministack}", f"lambda://{REGION}/none?endpoint={ministack}"
    outputs = {"queue_url": url, "releases_url": releases, "units": {"http": f"none-{prefix}"}}
    keys = {name.upper(): value for name, value in DUMMY.items()}
    aws = "--cloud aws --env prod"
    listed, *others = typed(
        folder, f"dlq list payments --json {aws}", f"releases {aws}", f"rollback --yes {aws}",
        **pulumi(tmp_path / "bin", outputs), **keys,
    )  # fmt: skip
    assert (json.loads(listed.stdout), listed.stderr) == ([], f"acts on the stack prod-aws: {url}\n")
    for outcome in others:
        assert outcome.stderr.splitlines()[0] == f"acts on the stack prod-aws: {releases}"
    assert not (folder / ".data").exists()


def test_an_empty_folder_is_no_service(tmp_path):
    """The kit's checkout is importable from everywhere, and its own service would answer."""
    others = ("token", "run --port 0", "dev --port 0", "openapi", "build --cloud aws", "preflight --cloud aws")
    for outcome in typed(tmp_path, *OPERATORS, *others):
        assert (outcome.code, outcome.stdout, outcome.stderr.count("\n")) == (2, "", 1), outcome
        assert outcome.stderr.startswith(f"twofold: there is no service in {tmp_path} (api/manifest.py)")
    line = {"_TWOFOLD_COMPLETE": "complete_bash", "COMP_WORDS": "twofold secret set ", "COMP_CWORD": "3"}
    assert [outcome.stdout.split() for outcome in typed(tmp_path, "", **line)] == [[]]
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_name_is_told_before_a_stack_is_asked_or_a_question(folder, tmp_path):
    expected = {
        "dlq purge mails": "'mails' is neither a queue",
        "dlq purge orders": "redriven, not purged",
        "secret set mail-key": "no secret 'mail-key'",
        "rebuild mails": "no projection 'mails'",
    }
    commands = [f"{command} --cloud aws" for command in expected]
    for outcome, message in zip(typed(folder, *commands, PATH=str(tmp_path)), expected.values(), strict=True):
        assert outcome.code == 2 and message in outcome.stderr and outcome.stderr.count("\n") == 1
