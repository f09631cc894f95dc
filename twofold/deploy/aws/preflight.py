"""What an AWS account must have before the first `pulumi up`: the login, the region, room for the units. Only reads."""

from collections.abc import Callable, Iterable
from typing import Any

from twofold.deploy.aws import login
from twofold.deploy.checks import Check
from twofold.deploy.config import StackConfig
from twofold.deploy.program import PlannedResource

UNRESERVED = 100
"""Concurrent executions that Lambda keeps back from reservations."""
BOUNDARY = "permissions boundary"


def check(config: StackConfig, planned: Callable[[], Iterable[PlannedResource]]) -> list[Check]:
    """A check of each; what AWS refuses to tell is not fine, with its answer. The program (`planned`) tells nothing more here."""
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError  # an answer that is not AWS' own, a proxy's page say

    def attempted(what: str, work: Callable[[], Check]) -> Check:
        try:
            return work()
        except (BotoCoreError, ClientError, ResponseParserError) as exc:
            return Check(what, False, str(exc), "aws sso login, or set the variables or profile of the deployer")

    try:
        session = login.session(config.region, config.assume_role, config.external_id)
    except (login.NoLogin, BotoCoreError, ClientError) as exc:
        return [Check("login", False, str(exc), "aws sso login, or set the variables or profile of the deployer")]
    checks = [
        attempted("login", lambda: _identity(session, config)),
        attempted(f"region {config.region}", lambda: _region(session, config)),
        attempted(BOUNDARY, lambda: _boundary(session, config)),
    ]
    if config.max_instances:
        checks.append(attempted("concurrency", lambda: _concurrency(session, config)))
    return checks


def _identity(session: Any, config: StackConfig) -> Check:
    caller = session.client("sts").get_caller_identity()
    fine = config.account in ("", caller["Account"])
    detail = caller["Arn"] if fine else f"{caller['Arn']}, not in twofold:account {config.account}"
    return Check("login", fine, detail, "" if fine else "log in to that account, or set twofold:assumeRole")


def _region(session: Any, config: StackConfig) -> Check:
    [region] = session.client("ec2").describe_regions(RegionNames=[config.region], AllRegions=True)["Regions"]
    status = region.get("OptInStatus", "opt-in-not-required")
    fine = status in ("opt-in-not-required", "opted-in")
    enable = "" if fine else f"aws account enable-region --region-name {config.region}"
    return Check(f"region {config.region}", fine, status, enable)


def _boundary(session: Any, config: StackConfig) -> Check:
    printed = f"twofold deployer --cloud aws --env {config.environment}"
    if not config.permissions_boundary:
        detail = "none: whoever deploys can make itself an administrator"
        return Check(BOUNDARY, False, detail, printed, needed=False)
    iam = session.client("iam")
    try:
        iam.get_policy(PolicyArn=config.permissions_boundary)
    except iam.exceptions.NoSuchEntityException as exc:
        return Check(BOUNDARY, False, str(exc), printed)
    return Check(BOUNDARY, True, config.permissions_boundary)


def _concurrency(session: Any, config: StackConfig) -> Check:
    limit = session.client("lambda").get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
    wanted = sum(config.max_instances.values())
    fine = wanted + UNRESERVED <= limit
    detail = f"the account has {limit}, {UNRESERVED} of them stay unreserved; twofold:maxInstances reserves {wanted}"
    ask = (
        "aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384 "
        f"--region {config.region} --desired-value {wanted + UNRESERVED}"
    )
    return Check("concurrency", fine, detail, "" if fine else ask)
