"""The deployer's login in the program's own process: what the Pulumi provider uses too, and with it the role that deploys."""

from typing import Any

READ_SECONDS = 320
"""Longer than any unit's invocation may take."""


def client(service: str, region: str, assume_role: str = "", external_id: str = "") -> Any:
    """A boto3 client with the login that boto3 finds (variables, profile, SSO), or with `assume_role` taken by it, for an hour."""
    import boto3  # only in the process that deploys
    from botocore.config import Config

    session = boto3.session.Session(region_name=region)
    if assume_role:
        asked = {"ExternalId": external_id} if external_id else {}
        sts = session.client("sts")
        keys = sts.assume_role(RoleArn=assume_role, RoleSessionName="twofold", **asked)["Credentials"]
        session = boto3.session.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], region)
    config = Config(read_timeout=READ_SECONDS, retries={"mode": "standard", "total_max_attempts": 3})
    return session.client(service, config=config)  # type: ignore[call-overload]


def who() -> str:
    """Whose login it is. Raises what botocore raises; each try takes a few seconds at most."""
    import boto3
    from botocore.config import Config

    config = Config(connect_timeout=4, read_timeout=8, retries={"total_max_attempts": 1})
    sts = boto3.client("sts", region_name=boto3.Session().region_name or "us-east-1", config=config)
    return str(sts.get_caller_identity()["Arn"])
