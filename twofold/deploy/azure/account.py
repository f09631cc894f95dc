"""Whose subscription a stack is in: a check of the login before any resource."""

from dataclasses import dataclass

from pulumi_azure_native import authorization

from twofold.deploy.config import ConfigError, StackConfig

AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
"""The client with which a person is logged in (`az login`); pipelines and identities have one of their own."""


@dataclass(frozen=True, slots=True)
class Login:
    """Who deploys, and where. `principal_type` is said in assignments: Azure refuses a kind that is not the principal's."""

    subscription: str
    tenant: str
    object_id: str
    principal_type: str


def login(config: StackConfig) -> Login:
    """The default provider's login; ConfigError when config pins another subscription or tenant.

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
    kind = "User" if found.client_id == AZURE_CLI else "ServicePrincipal"
    return Login(found.subscription_id, found.tenant_id, found.object_id, kind)
