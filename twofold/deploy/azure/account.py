"""Whose subscription a stack is in: a check of the login before any resource."""

from dataclasses import dataclass

from pulumi_azure_native import authorization

from twofold.deploy.azure.login import claims
from twofold.deploy.config import ConfigError, StackConfig


@dataclass(frozen=True, slots=True)
class Login:
    """Who deploys, and where. `principal_type` is said in assignments: Azure refuses a kind that is not the principal's.

    None where the login's token does not tell: then it is left out, and Azure looks the principal up.
    """

    subscription: str
    tenant: str
    object_id: str
    principal_type: str | None


def login(config: StackConfig) -> Login:
    """The default provider's login; ConfigError when config pins another subscription or tenant.

    A destroy or refresh runs no program: `azure-native:subscriptionId` and `azure-native:tenantId` hold the provider itself
    there. Resources stay with the default provider, since another one would replace them all.
    """
    client = authorization.get_client_config()
    problems = [
        f"twofold:{key} is {pinned!r}, but this login is in {key} {actual!r}"
        for key, pinned, actual in (
            ("subscription", config.subscription, client.subscription_id),
            ("tenant", config.tenant, client.tenant_id),
        )
        if pinned and pinned.lower() != actual.lower()
    ]
    if problems:
        raise ConfigError("; ".join(problems))
    token = authorization.get_client_token().token
    return Login(client.subscription_id, client.tenant_id, client.object_id, principal_type(token))


def principal_type(token: str | None) -> str | None:
    """Of whom a token of Resource Manager is: a person has come with a client (`az`, Cloud Shell, VS Code, PowerShell), which
    says nothing. `idtyp` does, and without it `scp`, which Entra gives to people's tokens alone (Microsoft's page on the claims
    of access tokens).
    """
    try:
        claim = claims(token or "")
    except (ValueError, IndexError):
        return None
    person = claim["idtyp"] == "user" if "idtyp" in claim else "scp" in claim
    return "User" if person else "ServicePrincipal"
