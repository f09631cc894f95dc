"""The gateway: an HTTP API that lets in whom the OpenAPI document lets in, limits the rate and logs each access."""

import json
from typing import Any

import pulumi
from pulumi_aws import apigatewayv2, cloudwatch, lambda_

from twofold.deploy.aws.domain import Domain
from twofold.deploy.aws.issuer import Issuer
from twofold.deploy.config import StackConfig
from twofold.deploy.routes import RATE_PER_SECOND, Operation, operations
from twofold.manifest import ServiceManifest

LOGGED = {
    "requestId": "requestId", "httpMethod": "httpMethod", "path": "path", "status": "status",
    "responseLatency": "responseLatency", "ip": "identity.sourceIp",
}  # fmt: skip
"""A line of the access log: its keys, and API Gateway's variables for them."""


class Gateway(pulumi.ComponentResource):
    """An HTTP API before the http unit, with a route per operation; what is no route is answered 404 by the API itself.

    `api` is its id. With `twofold:gateway none` there is none, and the function's own URL instead: open, and the service verifies
    tokens by itself. With a domain of its own and no edge before it, that is its only address.
    """

    def __init__(
        self, name: str, *, manifest: ServiceManifest, config: StackConfig, openapi: dict[str, Any],
        live: lambda_.Alias, issuer: Issuer, domain: Domain, opts: pulumi.ResourceOptions | None = None,
    ) -> None:  # fmt: skip
        super().__init__("twofold:aws:Gateway", name, None, opts)
        self._name, self._config, self._child = name, config, pulumi.ResourceOptions(parent=self)
        self._issuer, self._domain = issuer, domain
        self.api: pulumi.Output[str] | None = None
        self.url = self._own_url(live) if config.gateway == "none" else self._api(manifest, openapi, live)
        self.register_outputs({"url": self.url})

    def _api(self, manifest: ServiceManifest, openapi: dict[str, Any], live: lambda_.Alias) -> pulumi.Output[str]:
        name, child = self._name, self._child
        api = apigatewayv2.Api(
            name, name=name, protocol_type="HTTP", description=manifest.title,
            disable_execute_api_endpoint=self._domain.closes, opts=child,
        )  # fmt: skip
        self.api = api.id
        allowed = lambda_.Permission(
            name, action="lambda:InvokeFunction", function=live.function_name, qualifier=live.name,
            principal="apigateway.amazonaws.com", source_arn=pulumi.Output.concat(api.execution_arn, "/*"), opts=child,
        )  # fmt: skip
        integration = apigatewayv2.Integration(
            name, api_id=api.id, integration_type="AWS_PROXY", integration_uri=live.invoke_arn,
            payload_format_version="2.0", timeout_milliseconds=29_000,
            # It never points where it may not call.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[allowed]),
        )  # fmt: skip
        # One for all routes.
        authorizer = apigatewayv2.Authorizer(
            name, name="oidc", api_id=api.id, authorizer_type="JWT",
            identity_sources=["$request.header.Authorization"],
            jwt_configuration=apigatewayv2.AuthorizerJwtConfigurationArgs(
                issuer=self._issuer.url, audiences=self._issuer.audiences
            ),
            opts=child,
        )  # fmt: skip
        target = integration.id.apply(lambda api_id: f"integrations/{api_id}")
        every = operations(openapi)
        routes = [
            apigatewayv2.Route(
                f"{name} {operation.route}", api_id=api.id, route_key=_key(operation), target=target,
                authorization_type="NONE" if operation.open else "JWT",
                authorizer_id=None if operation.open else authorizer.id,
                authorization_scopes=self._issuer.spelled(operation.scopes) or None,
                opts=child,
            )
            for operation in every
        ]  # fmt: skip
        stage = self._stage(api, every, routes)
        if self._domain.of_api:
            return self._domain.api(stage)
        return pulumi.Output.all(api.api_endpoint, stage.id).apply(lambda ends: str(ends[0]))

    def _stage(
        self, api: apigatewayv2.Api, operations: tuple[Operation, ...], routes: list[apigatewayv2.Route]
    ) -> apigatewayv2.Stage:
        name, child = self._name, self._child
        # Any other group that a service delivers to adds to one policy of the account, which has 5,120 characters.
        logs = cloudwatch.LogGroup(
            f"{name}-access", name=f"/aws/vendedlogs/apigateway/{name}", retention_in_days=30,
            kms_key_id=self._config.encryption_key or None, opts=child,
        )  # fmt: skip
        rate = self._config.gateway_rate or RATE_PER_SECOND
        writes = max(1, rate // 4)
        return apigatewayv2.Stage(
            name, name="$default", api_id=api.id, auto_deploy=True,
            # Given without throttles, settings throttle everything to 0: a route's as well as the stage's.
            default_route_settings=apigatewayv2.StageDefaultRouteSettingsArgs(
                throttling_rate_limit=rate, throttling_burst_limit=2 * rate
            ),
            route_settings=[
                apigatewayv2.StageRouteSettingArgs(
                    route_key=_key(operation), throttling_rate_limit=writes, throttling_burst_limit=2 * writes
                )
                for operation in operations
                if not operation.reads
            ],
            access_log_settings=apigatewayv2.StageAccessLogSettingsArgs(
                destination_arn=logs.arn, format=json.dumps({key: f"$context.{name}" for key, name in LOGGED.items()})
            ),
            # A stage that names a route needs it to exist.
            opts=pulumi.ResourceOptions(parent=self, depends_on=routes),
        )  # fmt: skip

    def _own_url(self, live: lambda_.Alias) -> pulumi.Output[str]:
        name, child = self._name, self._child
        address = lambda_.FunctionUrl(
            name, function_name=live.function_name, qualifier=live.name, authorization_type="NONE", opts=child
        )
        lambda_.Permission(
            f"{name}-url", action="lambda:InvokeFunctionUrl", function=live.function_name, qualifier=live.name,
            principal="*", function_url_auth_type="NONE", opts=child,
        )  # fmt: skip
        lambda_.Permission(
            f"{name}-invoke", action="lambda:InvokeFunction", function=live.function_name, qualifier=live.name,
            principal="*", invoked_via_function_url=True, opts=child,
        )  # fmt: skip
        return address.function_url.apply(lambda url: url.rstrip("/"))


def _key(operation: Operation) -> str:
    """The route key of an operation: `GET /orders/{order_id}`; an HTTP API writes the rest of a path as `{proxy+}`."""
    return operation.route.replace("/*", "/{proxy+}")
