"""Who may call the http unit: the gateway's managed identity, and nobody else.

The app's host itself (App Service authentication) asks for an Entra token of that identity in `Authorization` and answers
anything else with 401 before a worker runs: no key is stored, no network is needed, and it costs nothing. The caller's own token
travels in another header, which `twofold.azure.gateway` puts back.
"""

from collections.abc import Sequence
from typing import Any

import pulumi
from pulumi_azure_native import apimanagement, managedidentity, web

from twofold.deploy.config import StackConfig

ISSUER = "https://sts.windows.net/{}/"


class Access(pulumi.ComponentResource):
    """The identity that the gateway calls with. `principal` is its object id, None with `twofold:gateway none`.

    `identity` is made for a managed gateway; an existing one calls with its own system-assigned identity.
    """

    def __init__(
        self, name: str, *, config: StackConfig, group: pulumi.Input[str], tenant: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:  # fmt: skip
        super().__init__("twofold:azure:Access", name, None, opts)
        self._config, self._group, self.tenant = config, group, tenant
        self.identity: managedidentity.UserAssignedIdentity | None = None
        self.service: pulumi.Output[Any] | None = None
        self.principal: pulumi.Output[str] | None = None
        if config.gateway == "managed":
            self.identity = managedidentity.UserAssignedIdentity(
                f"{name}-gateway", resource_name_=f"{name}-gateway", resource_group_name=group, location=config.region,
                opts=pulumi.ResourceOptions(parent=self),
            )  # fmt: skip
            self.principal = self.identity.principal_id
        elif config.gateway == "existing":
            parts = config.apim.split("/")
            self.service = apimanagement.get_api_management_service_output(
                resource_group_name=parts[4], service_name=parts[8], opts=pulumi.InvokeOptions(parent=self)
            )
            self.principal = self.service.apply(lambda service: _own_identity(config.apim, service.identity))
        self.register_outputs({"principal": self.principal})

    def close(self, name: str, app: web.WebApp, after: Sequence[pulumi.Resource] = ()) -> list[pulumi.Resource]:
        """Closes an app to everyone but the gateway. With `twofold:gateway none` it stays open, and verifies by itself."""
        if self.principal is None:
            return []
        client = self.identity.client_id if self.identity else self.principal
        directory = web.AzureActiveDirectoryArgs(
            enabled=True,
            registration=web.AzureActiveDirectoryRegistrationArgs(
                client_id=client, open_id_issuer=ISSUER.format(self.tenant)
            ),
            validation=web.AzureActiveDirectoryValidationArgs(
                allowed_audiences=[self._config.gateway_audience],
                default_authorization_policy=web.DefaultAuthorizationPolicyArgs(
                    allowed_principals=web.AllowedPrincipalsArgs(identities=[self.principal])
                ),
            ),
        )
        return [
            web.WebAppAuthSettingsV2(
                name, name=app.name, resource_group_name=self._group,
                platform=web.AuthPlatformArgs(enabled=True),
                global_validation=web.GlobalValidationArgs(
                    require_authentication=True, unauthenticated_client_action=web.UnauthenticatedClientActionV2.RETURN401
                ),
                identity_providers=web.IdentityProvidersArgs(azure_active_directory=directory),
                http_settings=web.HttpSettingsArgs(require_https=True),
                login=web.LoginArgs(token_store=web.TokenStoreArgs(enabled=False)),
                opts=pulumi.ResourceOptions(parent=self, depends_on=after),
            )
        ]  # fmt: skip


def without_passwords(
    name: str, app: web.WebApp, group: pulumi.Input[str], parent: pulumi.Resource
) -> list[pulumi.Resource]:
    """Nobody enters an app's deployment endpoint, or its FTP, with a user name and a password: code comes with an Entra token."""
    child, about = pulumi.ResourceOptions(parent=parent), {"name": app.name, "resource_group_name": group}
    scm = web.WebAppScmAllowed(name, allow=False, **about, opts=child)
    # One after the other: both write the app's config.
    after = pulumi.ResourceOptions(parent=parent, depends_on=[scm])
    return [scm, web.WebAppFtpAllowed(name, allow=False, **about, opts=after)]


def _own_identity(apim: str, identity: Any) -> str:
    principal = identity.principal_id if identity else None
    if not principal:
        raise pulumi.RunError(
            f"twofold:apim {apim} has no system-assigned identity, with which the app's host would know it; switch it on"
        )
    return str(principal)
