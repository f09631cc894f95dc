"""The gateway: API Management with the service's OpenAPI document, which lets in whom the document lets in."""

import json
from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi_azure_native import apimanagement

from twofold.deploy.azure import policy
from twofold.deploy.azure.access import Access
from twofold.deploy.azure.names import unique
from twofold.deploy.config import StackConfig
from twofold.deploy.routes import RATE_PER_SECOND, Operation, operations
from twofold.manifest import ServiceManifest

_SECURITY = "Microsoft.WindowsAzure.ApiManagement.Gateway.Security."
OLD_PROTOCOLS = {
    f"{_SECURITY}{side}Protocols.{protocol}": "false"
    for side in ("", "Backend.")
    for protocol in ("Tls10", "Tls11", "Ssl30")
}
"""TLS before 1.2, switched off by name; the Consumption and v2 tiers have them off and know no such setting."""
CLASSIC = ("Developer", "Basic", "Standard", "Premium")


class Gateway(pulumi.ComponentResource):
    """API Management before the http unit: one of its own, one that exists, or none: then `url` is the unit's own, at `host`.

    `front_door` is the id of the only Front Door that is let in.
    """

    def __init__(
        self, name: str, *, manifest: ServiceManifest, config: StackConfig, openapi: dict[str, Any], host: pulumi.Input[str],
        access: Access, group: pulumi.Input[str], subscription: str, front_door: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:  # fmt: skip
        super().__init__("twofold:azure:Gateway", name, None, opts)
        self._name, self._manifest, self._config = name, manifest, config
        self._child = pulumi.ResourceOptions(parent=self)
        self.url: pulumi.Output[str]
        if config.gateway == "none":
            self.url = pulumi.Output.concat("https://", host)
        else:
            if config.gateway == "managed":
                service = self._service(access, group, subscription)
                self.url, service_name = service.gateway_url, service.name
            else:
                assert access.service is not None
                self.url = access.service.gateway_url
                service_name, group = pulumi.Output.from_input(config.apim.split("/")[8]), config.apim.split("/")[4]
            self._api(service_name, group, openapi, host, access, front_door)
        self.register_outputs({"url": self.url})

    def _service(
        self, access: Access, group: pulumi.Input[str], subscription: str
    ) -> apimanagement.ApiManagementService:
        sku, identity = self._config.apim_sku, access.identity
        assert identity is not None
        # A tier can't be changed into every other: under another name the new one comes before the old one goes.
        prefix = self._name if sku == "Consumption" else f"{self._name}-{sku.lower()}"
        return apimanagement.ApiManagementService(
            self._name, service_name=unique(prefix, subscription, limit=50), resource_group_name=group,
            location=self._config.region, publisher_email=self._config.publisher_email,
            publisher_name=self._manifest.title or self._manifest.name,
            sku=apimanagement.ApiManagementServiceSkuPropertiesArgs(name=sku, capacity=0 if sku == "Consumption" else 1),
            identity=apimanagement.ApiManagementServiceIdentityArgs(
                type=apimanagement.ApimIdentityType.USER_ASSIGNED, user_assigned_identities=identity.id.apply(
                    lambda resource_id: {resource_id: apimanagement.UserIdentityPropertiesArgs()}
                ),
            ),
            custom_properties=OLD_PROTOCOLS if sku in CLASSIC else None,
            opts=self._child,
        )  # fmt: skip

    def _api(
        self, service: pulumi.Input[str], group: pulumi.Input[str], openapi: dict[str, Any], host: pulumi.Input[str],
        access: Access, front_door: pulumi.Input[str] | None,
    ) -> None:  # fmt: skip
        config, routes = self._config, operations(openapi)
        api = apimanagement.Api(
            self._name, api_id=self._manifest.name, service_name=service, resource_group_name=group,
            display_name=self._manifest.title or self._manifest.name, path="", protocols=["https"],
            subscription_required=False, service_url=pulumi.Output.concat("https://", host),
            format="openapi+json", value=json.dumps(_imported(openapi, routes), sort_keys=True), opts=self._child,
        )  # fmt: skip
        client = access.identity.client_id if access.identity else None
        rate = None if config.apim_sku == "Consumption" else config.gateway_rate or RATE_PER_SECOND
        text = pulumi.Output.all(client=client, front_door=front_door).apply(
            lambda known: policy.document(
                routes, service=self._manifest.name, issuer=config.oidc_issuer, audience=config.oidc_audience, rate=rate,
                caller=policy.Caller(config.gateway_audience, known["client"]), front_door=known["front_door"],
            )
        )  # fmt: skip
        apimanagement.ApiPolicy(
            self._name, policy_id="policy", api_id=api.name, service_name=service, resource_group_name=group,
            format="xml", value=text, opts=self._child,
        )  # fmt: skip


def _imported(openapi: Mapping[str, Any], routes: tuple[Operation, ...]) -> dict[str, Any]:
    """The document as API Management imports it: it routes only what it knows, under the ids that the policy names.

    A required query parameter would become part of the route, and its absence a 404: here none is required.
    """
    paths: dict[str, dict[str, Any]] = {path: dict(item) for path, item in openapi.get("paths", {}).items()}
    for route in routes:
        item, method = paths.setdefault(route.path, {}), route.method.lower()
        operation = {**item.get(method, {"responses": {"200": {"description": "OK"}}}), "operationId": route.id}
        if "parameters" in operation:
            operation["parameters"] = [_optional(parameter) for parameter in operation["parameters"]]
        item[method] = operation
    return {**openapi, "paths": paths}


def _optional(parameter: Mapping[str, Any]) -> dict[str, Any]:
    return {**parameter, "required": False} if parameter.get("in") == "query" else dict(parameter)
