"""`twofold doctor --report` through the real command line: with secrets planted wherever its text comes from."""

import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import boto3
import pytest
import yaml
from botocore.stub import ANY, Stubber

from api.manifest import SERVICE
from tests.copies.copy import ROOT
from tests.emulators.fixtures import DUMMY, REGION
from tests.integration.cli.test_aws_releases import code
from twofold.cli import report
from twofold.deploy.aws import hosts

TWOFOLD = Path(sys.executable).with_name("twofold")
PLANTED = (
    "planted-external",
    "planted-secure",
    "planted-setting",
    "planted-passphrase",
    "planted-log",
    "planted-output",
    "planted-hook",
    "planted-pin",
)
ACCOUNT = "210987654321"
PULUMI = """#!{python}
import json, sys
words = sys.argv[1:]
if words == ["version"]:
    print("v3.250.0")
elif words[:2] == ["stack", "history"]:
    print(json.dumps([{{"kind": "update", "result": "failed", "startTime": "2026-11-28T12:00:00Z", "message": "planted-log",
                        "config": {{"k": "planted-log"}}, "environment": {{"git.author.email": "jane@shop.example"}}}}]))
elif words[:2] == ["stack", "export"]:
    print(open({state!r}).read())
else:
    sys.exit("unknown: " + " ".join(words))
"""


@pytest.fixture
def checkout(tmp_path):
    """A service's folder with a stack's file, in which somebody wrote secrets, and a CLI that tells of a failed update."""
    for name in (
        "api",
        "twofold",
        "stacks",
        "requirements",
        "openapi.json",
        "function_app.py",
        "lambda_function.py",
        "host.json",
    ):
        (tmp_path / name).symlink_to(ROOT / name)
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())
    (tmp_path / "Pulumi.yaml").write_text(yaml.safe_dump(project | {"stackConfigDir": "config"}))
    config = {
        "cloud": "aws", "environment": "dev", "region": REGION, "oidcIssuer": "https://issuer.example", "oidcAudience": "orders",
        "settings": {"payment_url": "https://payments.example?key=planted-setting"}, "account": ACCOUNT,
        "alertWebhook": "https://chat.example/planted-hook", "assumeRole": f"arn:aws:iam::{ACCOUNT}:role/deployer",
        "externalId": "planted-external",
    }  # fmt: skip
    (tmp_path / "config").mkdir()
    entries = {f"twofold:{key}": value for key, value in config.items()} | {"own:key": {"secure": "v1:planted-secure"}}
    (tmp_path / "config/Pulumi.dev-aws.yaml").write_text(yaml.safe_dump({"config": entries}))
    pulumi = tmp_path / "bin/pulumi"
    pulumi.parent.mkdir()
    pulumi.write_text(PULUMI.format(python=sys.executable, state=str(tmp_path / "state.json")))
    pulumi.chmod(stat.S_IRWXU)
    return tmp_path


def reported(checkout, *arguments, **environ):
    environ = {
        **{key: value for key, value in os.environ.items() if not key.startswith(("TWOFOLD_", "AWS_"))}, **environ,
        "PATH": f"{checkout / 'bin'}:{os.environ['PATH']}", "PULUMI_CONFIG_PASSPHRASE": "planted-passphrase",
    }  # fmt: skip
    done = subprocess.run(
        [TWOFOLD, "doctor", "--report", "--cloud", "aws", *arguments, "--json"],
        cwd=checkout, env=environ, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    summary, file = json.loads(done.stdout), checkout / "twofold-report.json"
    assert Path(summary["path"]) == file and stat.S_IMODE(file.stat().st_mode) == 0o600
    text = file.read_text()
    assert [one for one in (*PLANTED, ACCOUNT, "jane@") if one in text + done.stdout + done.stderr] == []
    return json.loads(text), summary["lacking"]


def test_it_tells_what_failed_and_how_the_hosts_are_and_no_secret(checkout, ministack):
    # ministack takes an access key of twelve digits for the account, which the deployer's role is in.
    keys = {"endpoint_url": ministack, "region_name": REGION, **DUMMY, "aws_access_key_id": ACCOUNT}
    boto3.client("lambda", **keys).create_function(
        FunctionName="report-http", Runtime="python3.13", Role="arn:aws:iam::000000000000:role/x", Handler="x.y",
        Code={"ZipFile": code("x")},
    )  # fmt: skip
    logs = boto3.client("logs", **keys)
    logs.create_log_group(logGroupName="/aws/lambda/report-http")
    logs.create_log_stream(logGroupName="/aws/lambda/report-http", logStreamName="s")
    line = "[ERROR] no table; Authorization: Bearer planted-log"
    now = int(time.time() * 1000)
    logs.put_log_events(
        logGroupName="/aws/lambda/report-http", logStreamName="s", logEvents=[{"timestamp": now, "message": line}]
    )
    function = {
        "type": "aws:lambda/function:Function",
        "urn": "urn:pulumi:dev-aws::orders::aws:lambda/function:Function::orders-dev-http",
    }
    state = {
        "resources": [{**function, "id": "report-http", "outputs": {"name": "report-http"}, "initErrors": ["token=planted-log"]}],
        "pending_operations": [{"type": "creating", "resource": {"urn": "urn:pulumi:dev-aws::orders::t::orders-dev-events"}}],
    }  # fmt: skip
    (checkout / "state.json").write_text(json.dumps({"deployment": state}))
    (checkout / "up.log").write_text(
        "error: creating Role: AccessDenied\npassword=planted-output\nplanted-passphrase\nposts to "
        "https://chat.example/planted-hook\n"
    )
    report, lacking = reported(checkout, "--log", "up.log", AWS_ENDPOINT_URL=ministack, AWS_ACCESS_KEY_ID="test",
                               AWS_SECRET_ACCESS_KEY="test")  # fmt: skip
    assert lacking == {} and report["last update"][0]["result"] == "failed"
    assert list(report["state"]["ill"]) == [function["urn"]]
    assert report["state"]["under way"] == ["creating urn:pulumi:dev-aws::orders::t::orders-dev-events"]
    assert "aws:dynamodb/table:Table orders-dev-events" in report["not there"]
    assert "aws:lambda/function:Function orders-dev-http" not in report["not there"]
    assert report["output of pulumi up"] == [
        "error: creating Role: AccessDenied",
        "password=<secret>",
        "<secret>",
        "posts to <secret>",
    ]
    host = report["hosts"]["report-http"]
    assert host["host"]["State"] == "Active" and host["log"] == ["[ERROR] no table; Authorization: <secret> <secret>"]
    assert report["config"]["twofold:cloud"] == "aws" and report["config"]["own:key"] == "<secret>"
    assert report["config"]["twofold:settings"] == {"payment_url": "44 characters"}
    assert report["config"]["twofold:account"] == "…4321" and report["versions"]["pulumi"] == "v3.250.0"


def test_half_of_it_is_of_use_too(checkout):
    """Without a state, a login, or the output of an update."""
    report, lacking = reported(checkout, AWS_EC2_METADATA_DISABLED="true")
    assert set(lacking) == {"state", "not there", "hosts"} and report["config"]["twofold:region"] == REGION
    assert "| tee up.log" in report["output of pulumi up"][0]


@pytest.mark.parametrize(
    ("export", "message"),
    [
        (
            'sys.exit("wrong passphrase: planted-pin") if not sys.stdin.readline() else None',
            "NotHad: pulumi stack export",
        ),
        ('print("Enter your passphrase; token=planted-pin")', "JSONDecodeError"),
        ('print("{}")', "KeyError"),
        ('print("[]")', "TypeError"),
    ],
)
def test_a_state_that_can_not_be_read_leaves_the_rest(checkout, export, message):
    pulumi = checkout / "bin/pulumi"
    state = f"print(open({str(checkout / 'state.json')!r}).read())"
    assert state in pulumi.read_text()
    pulumi.write_text(pulumi.read_text().replace(state, export))
    report, lacking = reported(checkout)
    assert set(lacking) == {"state", "not there", "hosts"} and message in lacking["state"]
    assert report["last update"][0]["result"] == "failed"


def test_a_cli_that_does_not_answer_leaves_the_rest(checkout, monkeypatch):
    """In the process itself, which waits no two minutes here."""
    monkeypatch.setenv("PATH", f"{checkout / 'bin'}:{os.environ['PATH']}")
    run = subprocess.run

    def slow(words, **options):
        assert options["stdin"] == subprocess.DEVNULL
        if "export" in words:
            raise subprocess.TimeoutExpired(words, options["timeout"])
        return run(words, **options)

    monkeypatch.setattr(report.subprocess, "run", slow)
    written = report.write(SERVICE, "aws", "dev", checkout, None)
    assert set(written["lacking"]) == {"state", "not there", "hosts"}
    assert "TimeoutExpired" in written["lacking"]["state"] and Path(written["path"]).is_file()


def test_of_a_functions_log_it_tells_the_last_lines(monkeypatch):
    """CloudWatch gives the oldest first, by pages, of which some are empty (API reference, FilterLogEvents)."""
    session = boto3.Session(**DUMMY, region_name=REGION)
    functions, logs = session.client("lambda"), session.client("logs")
    lines = [f"line {number}" for number in range(hosts.LINES + 5)]
    group = {"logGroupName": "/aws/lambda/f", "startTime": ANY}
    with Stubber(functions) as lambdas, Stubber(logs) as pages:
        lambdas.add_response("get_function_configuration", {"State": "Active"}, {"FunctionName": "f"})
        pages.add_response("filter_log_events", {"events": [], "nextToken": "1"}, group)
        for token, part in (("1", lines[:20]), ("2", lines[20:])):
            events = {"events": [{"message": f"{line}\n"} for line in part]}
            following = {"nextToken": "2"} if token == "1" else {}
            pages.add_response("filter_log_events", events | following, group | {"nextToken": token})
        clients = SimpleNamespace(client={"lambda": functions, "logs": logs}.__getitem__)
        monkeypatch.setattr(hosts.login, "session", lambda *_: clients)
        config = SimpleNamespace(region=REGION, assume_role="", external_id="")
        assert hosts.hosts(config, {"f": "f"}) == {"f": {"host": {"State": "Active"}, "log": lines[5:]}}


def test_it_wants_to_know_of_which_stack(checkout):
    done = subprocess.run([TWOFOLD, "doctor", "--report"], cwd=checkout, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and done.stderr.startswith("twofold: say of which stack")
