"""Whose subscription a stack is in: a check of the login before any resource."""

from pulumi_azure_native import authorization

from twofold.deploy.config import ConfigError, StackConfig


def login(config: StackConfig) -> tuple[str, str]:
    """The subscription and the tenant that the default provider is logged in to; ConfigError when config pins others.

    A destroy or refresh runs no program: `azure-native:subscriptionId` and `azure-native:tenantId` hold the provider itself
    there. Resources stay with the default provider, since another one would replace them all.
    """
    found = authorization.get_client_config()
    problems = [
        f"twofold:{key} is {pinned!r}, but this login is in {key} {actual!r}"
        for key, pinned, actual in (
            ("subscription", config.subscription, found.subscription_id),
            ("tenant", config.tenant, found.tenant_id),
        )
        if pinned and pinned.lower() != actual.lower()
    ]
    if problems:
        raise ConfigError("; ".join(problems))
    return found.subscription_id, found.tenant_id
