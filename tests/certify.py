"""`make certify CLOUD=aws|azure`: the portability contract and the orders walk against a real account, and a dated record of it.

Wants a deployed stack `<env>-<cloud>`, the operator's login to its cloud, and in `TWOFOLD_TOKEN` an access token of the stack's
issuer with the service's scopes. What is missing is told, and nothing is written. The record, `docs/certified/<date>-<cloud>.json`,
says what was run with which versions and how it ended; the README's first screen is made of the records.
"""

import argparse
import base64
import json
import os
import platform
import subprocess
import sys
import time
import uuid
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from tests.integration.walk import walk
from twofold.cli.stack import StackError
from twofold.cli.stack import outputs as outputs_of
from twofold.cli.tools import MissingProgram

ROOT = Path(__file__).parents[1]
RECORDS, README = ROOT / "docs/certified", ROOT / "README.md"
BEGIN, END = "<!-- certified -->", "<!-- /certified -->"
TESTED = "everything was tested on emulators, protocol fakes and the real Pulumi engine."
NOTHING = f"Certified on a real account: **nothing yet**; {TESTED}"
SUITES = {
    "aws": {
        "documents": ("tests/conformance/test_dynamodb.py", "TWOFOLD_TEST_DYNAMODB", "https://dynamodb.{region}.amazonaws.com"),
        "queues": ("tests/conformance/test_queues.py::TestSQS", "TWOFOLD_TEST_SQS", "https://sqs.{region}.amazonaws.com"),
        "secrets": (
            "tests/conformance/test_secrets.py::TestSecretsManager", "TWOFOLD_TEST_SECRETSMANAGER",
            "https://secretsmanager.{region}.amazonaws.com",
        ),
    },
    "azure": {
        "documents": ("tests/conformance/test_cosmos.py", "TWOFOLD_TEST_COSMOS", "https://{store_url}"),
        "queues": ("tests/conformance/test_queues.py::TestStorageQueue", "TWOFOLD_TEST_STORAGEQUEUE", "https://{queue_url}"),
        "secrets": ("tests/conformance/test_secrets.py::TestKeyVault", "TWOFOLD_TEST_KEYVAULT", "https://{secrets_url}"),
    },
}  # fmt: skip
"""What runs: the suite, the variable that names the service to it, and how its address follows from the stack's outputs."""
PACKAGES = {"aws": ("boto3", "mangum"), "azure": ("azure-cosmos", "azure-keyvault-secrets", "azure-functions")}


class NotReady(Exception):
    """Something is missing; the message says what, and what to do."""


def addresses(cloud, outputs):
    """The variables that point the conformance suites at a stack's cloud; those that are set already win."""
    hosts = {name: urlsplit(str(outputs.get(name) or "")).netloc for name in ("store_url", "queue_url", "secrets_url")}
    urls = {name: form.format(region=outputs["region"], **hosts) for _, name, form in SUITES[cloud].values()}
    return urls | {"TWOFOLD_TEST_REGION": outputs["region"]}


def ready(cloud, env):
    """The stack's outputs and a token's subject. Raises NotReady."""
    try:
        outputs = outputs_of(f"{env}-{cloud}")
    except (StackError, MissingProgram) as exc:
        raise NotReady(
            f"{exc}\n\nCertifying runs against a deployed stack: make up CLOUD={cloud}, twofold secret set for each secret, "
            f"then make certify CLOUD={cloud}. Without an account nothing can be certified; make test is what there is."
        ) from None
    token = os.environ.get("TWOFOLD_TOKEN", "")
    try:
        claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
        return outputs, token, claims["sub"]
    except (IndexError, ValueError, KeyError):
        raise NotReady(
            "TWOFOLD_TOKEN must hold an access token of the stack's issuer, with the service's scopes"
        ) from None


def conform(cloud, suites, environ):
    """Runs suites; returns each one's {passed, failed, errors, skipped} and seconds."""
    results = {}
    for name in suites:
        report = ROOT / ".build" / f"certify-{name}.xml"
        report.parent.mkdir(exist_ok=True)
        command = [
            sys.executable,
            "-m",
            "pytest",
            SUITES[cloud][name][0],
            f"--junitxml={report}",
            "-p",
            "no:cacheprovider",
        ]
        subprocess.run(command, cwd=ROOT, env=environ | os.environ)
        results[name] = counts(report.read_text() if report.is_file() else "")
        report.unlink(missing_ok=True)
    return results


def counts(junit):
    """The figures of a JUnit report; a suite that wrote none has failed."""
    from xml.etree import ElementTree

    suite = ElementTree.fromstring(junit).find("testsuite") if junit else None
    if suite is None:
        return {"passed": 0, "failed": 1, "skipped": 0, "seconds": 0.0}
    total, failed, errors, skipped = (int(suite.get(key, 0)) for key in ("tests", "failures", "errors", "skipped"))
    return {
        "passed": total - failed - errors - skipped, "failed": failed + errors, "skipped": skipped,
        "seconds": float(suite.get("time", 0)),
    }  # fmt: skip


def order(url, token, subject):
    """The orders walk through the stack's gateway; what went wrong, or nothing."""
    headers = {"Authorization": f"Bearer {token}"}
    try:
        with httpx.Client(base_url=url, headers=headers, timeout=30) as client:
            walk(
                client,
                lambda: time.sleep(1),
                customer=subject,
                key=f"certify-{uuid.uuid4()}",
                timeout=120,
                gateway=True,
            )
    except (AssertionError, httpx.HTTPError) as exc:
        return f"{type(exc).__name__}: {exc}"[:500]
    return ""


def record(cloud, stack, outputs, suites, walked):
    """What is kept of a certification."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout
    fine = not walked and all(not one["failed"] and not one["skipped"] and one["passed"] for one in suites.values())
    return {
        "date": datetime.now(UTC).date().isoformat(), "cloud": cloud, "region": outputs["region"], "stack": stack,
        "certified": fine and set(suites) == set(SUITES[cloud]), "commit": commit.strip(), "artifact": outputs.get("artifact", ""),
        "python": platform.python_version(), "versions": {name: metadata.version(name) for name in ("twofold", *PACKAGES[cloud])},
        "conformance": suites, "walk": walked or "passed",
    }  # fmt: skip


def summary(records):
    """The line of the README: the last certification of each cloud, or that there is none."""
    last = {one["cloud"]: one for one in sorted(records, key=lambda one: one["date"]) if one["certified"]}
    if not last:
        return NOTHING
    certified = [
        f"{'Azure' if cloud == 'azure' else 'AWS'} on {one['date']} ({one['region']}, commit {one['commit']})"
        for cloud, one in sorted(last.items(), reverse=True)
    ]  # fmt: skip
    return f"Certified on a real account: **{', '.join(certified)}**; see docs/certified/. {TESTED.capitalize()}"


def stored():
    """The records that there are."""
    return [json.loads(path.read_text()) for path in sorted(RECORDS.glob("*.json"))]


def show(readme, line):
    """The README with that line between its marks."""
    before, _, rest = readme.partition(BEGIN)
    return f"{before}{BEGIN}\n{line}\n{END}{rest.partition(END)[2]}"


def main():
    """Runs it all; exit code 1 when something failed, 2 when something is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cloud", choices=sorted(SUITES))
    parser.add_argument("--env", default="dev")
    parser.add_argument("--only", help="one suite, for a look: nothing is certified by it")
    arguments = parser.parse_args()
    cloud, stack = arguments.cloud, f"{arguments.env}-{arguments.cloud}"
    try:
        outputs, token, subject = ready(cloud, arguments.env)
    except NotReady as exc:
        print(f"certify: {exc}", file=sys.stderr)
        sys.exit(2)
    suites = conform(cloud, [arguments.only] if arguments.only else SUITES[cloud], addresses(cloud, outputs))
    certificate = record(cloud, stack, outputs, suites, order(outputs["url"], token, subject))
    RECORDS.mkdir(parents=True, exist_ok=True)
    path = RECORDS / f"{certificate['date']}-{cloud}.json"
    path.write_text(json.dumps(certificate, indent=1) + "\n")
    README.write_text(show(README.read_text(), summary(stored())))
    print(
        f"{path.relative_to(ROOT)}: {'certified' if certificate['certified'] else 'not certified'}; walk: {certificate['walk']}"
    )
    sys.exit(0 if certificate["certified"] else 1)


if __name__ == "__main__":
    main()
