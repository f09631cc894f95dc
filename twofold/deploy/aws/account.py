"""Whose account a stack is in: the provider that is held to it, and a check of the login before any resource."""

import re
from collections.abc import Mapping

import pulumi
from pulumi_aws import Provider, ProviderAssumeRoleArgs, ProviderDefaultTagsArgs, get_caller_identity

from twofold.deploy.config import ConfigError, StackConfig

UNBOUNDED = (
    "twofold:permissionsBoundary is not set: whoever deploys this stack can make itself an administrator, by a role for a "
    "function. `twofold deployer --cloud aws --env {}` prints a boundary and this key"
)
_REFUSED = re.compile(r"account id not allowed: ([0-9]{12})", re.IGNORECASE)


def provider(config: StackConfig, tags: Mapping[str, str]) -> Provider:
    """The provider of all resources: tagged, in the config's region, by `assumeRole` where one is set.

    With `twofold:account`, raises ConfigError when the login (the role, where one is assumed) is in another account; a destroy
    or refresh, which runs no program, is then refused by the provider itself. Without, nothing is asked. Warns of a stack whose
    roles have no boundary.
    """
    if not config.permissions_boundary:
        pulumi.log.warn(UNBOUNDED.format(config.environment))
    assumed = None
    if config.assume_role:
        assumed = [
            ProviderAssumeRoleArgs(
                role_arn=config.assume_role, external_id=config.external_id or None, session_name="twofold"
            )
        ]
    aws = Provider(
        "aws", region=config.region, default_tags=ProviderDefaultTagsArgs(tags=tags), assume_roles=assumed,
        allowed_account_ids=[config.account] if config.account else None,
    )  # fmt: skip
    if config.account:
        account = _login(aws)
        if account != config.account:
            raise ConfigError(f"twofold:account is {config.account!r}, but this login is in account {account!r}")
    return aws


def _login(provider: Provider) -> str:
    try:
        return get_caller_identity(opts=pulumi.InvokeOptions(provider=provider)).account_id
    except Exception as exc:  # the SDK has no narrower one
        # The provider refuses to start with a login that `allowed_account_ids` lacks, and names it.
        if refused := _REFUSED.search(str(exc)):
            return refused[1]
        raise ConfigError(f"twofold:account can't be checked: AWS does not tell whose this login is: {exc}") from exc
