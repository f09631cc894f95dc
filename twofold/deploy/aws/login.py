"""The deployer's login in the program's own process: what the Pulumi provider uses too, and with it the role that deploys."""

from typing import Any

READ_SECONDS = 320
"""Longer than any unit's invocation may take."""


def client(service: str, region: str, assume_role: str = "", external_id: str = "") -> Any:
    """A boto3 client for an update's own calls, by `session`."""
    from botocore.config import Config

    config = Config(read_timeout=READ_SECONDS, retries={"mode": "standard", "total_max_attempts": 3})
    return session(region, assume_role, external_id).client(service, config=config)


def session(region: str, assume_role: str, external_id: str) -> Any:
    """boto3 with the login that it finds (variables, profile, SSO), or with `assume_role` taken by it, for an hour."""
    import boto3  # only in the process that deploys

    found = boto3.Session(region_name=region)
    if not assume_role:
        return found
    asked = {"ExternalId": external_id} if external_id else {}
    keys = found.client("sts").assume_role(RoleArn=assume_role, RoleSessionName="twofold", **asked)["Credentials"]
    return boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], region_name=region)


def who() -> str:
    """Whose login it is. Raises what botocore raises; each try takes a few seconds at most."""
    import boto3
    from botocore.config import Config

    config = Config(connect_timeout=4, read_timeout=8, retries={"total_max_attempts": 1})
    sts = boto3.client("sts", region_name=boto3.Session().region_name or "us-east-1", config=config)
    return str(sts.get_caller_identity()["Arn"])
