"""The gateway: API Management with the service's OpenAPI document, which verifies tokens before it forwards."""

import json
from typing import Any
from xml.sax.saxutils import quoteattr

import pulumi
from pulumi_azure_native import apimanagement, web

from twofold.deploy.azure.names import unique
from twofold.deploy.config import StackConfig
from twofold.manifest import ServiceManifest

OPEN_PATHS = ("/docs", "/openapi.json", "/health/live", "/health/ready")
"""Answered without a token."""


class Gateway(pulumi.ComponentResource):
    """API Management (Consumption) before the http unit, with an operation per route of the OpenAPI document."""

    def __init__(
        self, name: str, *, manifest: ServiceManifest, config: StackConfig, openapi: dict[str, Any], app: web.WebApp,
        group: pulumi.Input[str], subscription: str, opts: pulumi.ResourceOptions | None = None,
    ) -> None:  # fmt: skip
        super().__init__("twofold:azure:Gateway", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        service = apimanagement.ApiManagementService(
            name, service_name=unique(name, subscription, limit=50), resource_group_name=group, location=config.region,
            publisher_email=config.publisher_email, publisher_name=manifest.title or manifest.name,
            sku=apimanagement.ApiManagementServiceSkuPropertiesArgs(name="Consumption", capacity=0), opts=child,
        )  # fmt: skip
        api = apimanagement.Api(
            name, api_id=manifest.name, service_name=service.name, resource_group_name=group,
            display_name=manifest.title or manifest.name, path="", protocols=["https"], subscription_required=False,
            service_url=pulumi.Output.concat("https://", app.default_host_name),
            format="openapi+json", value=json.dumps(with_docs(openapi), sort_keys=True), opts=child,
        )  # fmt: skip
        apimanagement.ApiPolicy(
            name, policy_id="policy", api_id=api.name, service_name=service.name, resource_group_name=group,
            format="xml", value=policy(config.oidc_issuer, config.oidc_audience), opts=child,
        )  # fmt: skip
        self.url = service.gateway_url
        self.register_outputs({"url": self.url})


def with_docs(openapi: dict[str, Any]) -> dict[str, Any]:
    """The document with the routes that FastAPI serves but does not list: API Management routes only what it knows."""
    answers = {"responses": {"200": {"description": "OK"}}}
    own = {
        "/docs": {"get": {"operationId": "docs", **answers}},
        "/openapi.json": {"get": {"operationId": "openapi", **answers}},
    }
    return {**openapi, "paths": {**own, **openapi.get("paths", {})}}


def policy(issuer: str, audience: str) -> str:
    """The API's policy: a token of this issuer and audience, or 401; the caller's Authorization travels on unchanged."""
    paths = "|".join(path.replace(".", "\\.") for path in OPEN_PATHS)
    condition = quoteattr(
        f'@(!(context.Request.Method == "GET" && System.Text.RegularExpressions.Regex.IsMatch('
        f'context.Request.OriginalUrl.Path, "^({paths})$")))'.replace("\\", "\\\\")
    )
    configuration = quoteattr(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    return f"""<policies>
  <inbound>
    <base />
    <choose>
      <when condition={condition}>
        <validate-jwt header-name="Authorization" require-scheme="Bearer" failed-validation-httpcode="401">
          <openid-config url={configuration} />
          <audiences><audience>{audience}</audience></audiences>
        </validate-jwt>
      </when>
    </choose>
  </inbound>
  <backend><forward-request timeout="29" /></backend>
  <outbound><base /></outbound>
  <on-error><base /></on-error>
</policies>"""
