"""The deployer's login in the program's own process: what the Pulumi provider uses too, and with it the role that deploys."""

from typing import Any

from twofold.deploy.config import ConfigError
from twofold.deploy.user_errors import UserError

READ_SECONDS = 320
"""Longer than any unit's invocation may take."""


class NoLogin(UserError, ConfigError):
    """This machine has no AWS login, or one that is over."""


def client(service: str, region: str, assume_role: str = "", external_id: str = "") -> Any:
    """A boto3 client for an update's own calls, by `session`."""
    from botocore.config import Config

    config = Config(read_timeout=READ_SECONDS, retries={"mode": "standard", "total_max_attempts": 3})
    return session(region, assume_role, external_id).client(service, config=config)


def session(region: str, assume_role: str, external_id: str) -> Any:
    """boto3 with the login that it finds (variables, profile, SSO), or with `assume_role` taken by it, for an hour.

    Raises NoLogin before anything is asked of AWS: its clients would say so each at its first call.
    """
    import boto3  # only in the process that deploys
    from botocore.exceptions import BotoCoreError

    try:
        own = boto3.Session(region_name=region)
        keys = own.get_credentials()
        if keys is None:
            raise NoLogin(
                "no AWS login on this machine has credentials; run: aws sso login, or name the deployer's profile"
            )
        keys.get_frozen_credentials()  # SSO's own are fetched here
    except BotoCoreError as exc:
        raise NoLogin(f"the AWS login of this machine can't be used ({exc}); run: aws sso login") from None
    if not assume_role:
        return own
    options = {"ExternalId": external_id} if external_id else {}
    keys = own.client("sts").assume_role(RoleArn=assume_role, RoleSessionName="twofold", **options)["Credentials"]
    return boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], region_name=region)


def who() -> str:
    """Whose login it is. Raises what botocore raises; each try takes a few seconds at most."""
    import boto3
    from botocore.config import Config

    config = Config(connect_timeout=4, read_timeout=8, retries={"total_max_attempts": 1})
    sts = boto3.client("sts", region_name=boto3.Session().region_name or "us-east-1", config=config)
    return str(sts.get_caller_identity()["Arn"])
