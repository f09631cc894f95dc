"""Whose access tokens the stack takes: those of an issuer that exists, or of a user pool of its own."""

import hashlib
from collections.abc import Iterable

import pulumi
from pulumi_aws import cognito

from twofold.deploy.config import StackConfig
from twofold.manifest import ServiceManifest
from twofold.portable import issuers

CALLBACK = "http://localhost:8400/callback"
"""Where `twofold token --login` waits. Cognito takes http for this host alone, and compares the port too (CreateUserPoolClient)."""
CLOSED = ["ALLOW_REFRESH_TOKEN_AUTH"]
"""No way in but the login page: neither passwords nor SRP at the pool's API."""


class Issuer(pulumi.ComponentResource):
    """`url` and `audience` are as in the tokens' `iss` and `client_id` or `aud`; several audiences by commas.

    With `twofold:issuer managed` a Cognito user pool `<prefix>`: its resource server is the service with the manifest's scopes; a
    public client logs people in by code flow with PKCE; with `machineClient` another one, with a secret, gives programs theirs.
    Nobody can sign up: who is in the pool may have every scope, so an administrator lets people in. With `protect` neither Pulumi
    nor AWS deletes the pool: its users can't be had back.
    """

    def __init__(
        self, name: str, *, manifest: ServiceManifest, config: StackConfig, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("twofold:aws:Issuer", name, None, opts)
        self._service, self._cognito = (
            manifest.name,
            config.issuer == "managed" or issuers.is_cognito(config.oidc_issuer),
        )
        self.url: pulumi.Input[str] = config.oidc_issuer
        self.audience: pulumi.Input[str] = config.oidc_audience
        if config.issuer == "managed":
            self._pool(name, manifest, config)
        self.audiences = pulumi.Output.from_input(self.audience).apply(lambda text: list(issuers.audiences(text)))
        self.register_outputs({"url": self.url, "audience": self.audience})

    def spelled(self, scopes: Iterable[str]) -> list[str]:
        """The service's scopes as the issuer's tokens have them."""
        return [issuers.scope_in_token(scope, self._service, cognito=self._cognito) for scope in scopes]

    def _pool(self, name: str, manifest: ServiceManifest, config: StackConfig) -> None:
        child = pulumi.ResourceOptions(parent=self)
        pool = cognito.UserPool(
            name, name=name, user_pool_tier="LITE", deletion_protection="ACTIVE" if config.protect else "INACTIVE",
            username_attributes=["email"], auto_verified_attributes=["email"],
            admin_create_user_config=cognito.UserPoolAdminCreateUserConfigArgs(allow_admin_create_user_only=True),
            password_policy=cognito.UserPoolPasswordPolicyArgs(
                minimum_length=12, require_lowercase=True, require_uppercase=True, require_numbers=True,
                require_symbols=True, temporary_password_validity_days=7,
            ),
            opts=pulumi.ResourceOptions(parent=self, protect=config.protect, retain_on_delete=config.protect),
        )  # fmt: skip
        # A region has each name once, whoever's it is.
        domain = pool.id.apply(lambda pool_id: f"{name}-{hashlib.sha256(pool_id.encode()).hexdigest()[:8]}")
        cognito.UserPoolDomain(name, domain=domain, user_pool_id=pool.id, managed_login_version=1, opts=child)
        server = cognito.ResourceServer(
            name, identifier=manifest.name, name=manifest.name, user_pool_id=pool.id,
            scopes=[
                cognito.ResourceServerScopeArgs(scope_name=scope, scope_description=scope) for scope in manifest.scopes
            ],
            opts=child,
        )  # fmt: skip
        scopes = self.spelled(manifest.scopes)
        browser = cognito.UserPoolClient(
            f"{name}-browser", name=f"{name}-browser", user_pool_id=pool.id, generate_secret=False,
            allowed_oauth_flows_user_pool_client=True, allowed_oauth_flows=["code"],
            allowed_oauth_scopes=["openid", *scopes], callback_urls=[CALLBACK], supported_identity_providers=["COGNITO"],
            explicit_auth_flows=CLOSED, prevent_user_existence_errors="ENABLED",
            # A client names scopes that are there.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[server]),
        )  # fmt: skip
        self.url = pool.endpoint.apply(lambda endpoint: f"https://{endpoint}")
        self.audience = browser.id
        if config.machine_client:
            machine = cognito.UserPoolClient(
                f"{name}-machine", name=f"{name}-machine", user_pool_id=pool.id, generate_secret=True,
                allowed_oauth_flows_user_pool_client=True, allowed_oauth_flows=["client_credentials"],
                allowed_oauth_scopes=scopes, supported_identity_providers=["COGNITO"], explicit_auth_flows=CLOSED,
                opts=pulumi.ResourceOptions(
                    parent=self, depends_on=[server], additional_secret_outputs=["client_secret"]
                ),
            )  # fmt: skip
            self.audience = pulumi.Output.concat(browser.id, ",", machine.id)
