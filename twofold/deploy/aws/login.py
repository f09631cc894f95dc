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
