"""The gateway: an HTTP API that verifies tokens, limits the rate and logs each access."""

import json

import pulumi
from pulumi_aws import apigatewayv2, cloudwatch, lambda_

from twofold.deploy.config import StackConfig
from twofold.manifest import ServiceManifest

OPEN_ROUTES = ("GET /docs", "GET /openapi.json", "GET /health/{proxy+}")
"""Answered without a token."""
RATE_PER_SECOND, BURST = 200, 400


class Gateway(pulumi.ComponentResource):
    """An HTTP API before the http unit. Every route needs a token of the issuer and audience, but `OPEN_ROUTES`."""

    def __init__(
        self, name: str, *, manifest: ServiceManifest, config: StackConfig, function: lambda_.Function,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:  # fmt: skip
        super().__init__("twofold:aws:Gateway", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        api = apigatewayv2.Api(name, name=name, protocol_type="HTTP", description=manifest.title, opts=child)
        integration = apigatewayv2.Integration(
            name, api_id=api.id, integration_type="AWS_PROXY", integration_uri=function.invoke_arn,
            payload_format_version="2.0", timeout_milliseconds=29_000, opts=child,
        )  # fmt: skip
        authorizer = apigatewayv2.Authorizer(
            name, name="oidc", api_id=api.id, authorizer_type="JWT",
            identity_sources=["$request.header.Authorization"],
            jwt_configuration=apigatewayv2.AuthorizerJwtConfigurationArgs(
                issuer=config.oidc_issuer, audiences=[config.oidc_audience]
            ),
            opts=child,
        )  # fmt: skip
        target = integration.id.apply(lambda id: f"integrations/{id}")
        for route in OPEN_ROUTES:
            apigatewayv2.Route(f"{name} {route}", api_id=api.id, route_key=route, target=target, opts=child)
        apigatewayv2.Route(
            f"{name} default", api_id=api.id, route_key="$default", target=target,
            authorization_type="JWT", authorizer_id=authorizer.id, opts=child,
        )  # fmt: skip
        logs = cloudwatch.LogGroup(f"{name}-access", name=f"/aws/apigateway/{name}", retention_in_days=30, opts=child)
        fields = ("requestId", "httpMethod", "path", "status", "responseLatency", "ip")
        stage = apigatewayv2.Stage(
            name, name="$default", api_id=api.id, auto_deploy=True,
            # Given without throttles, these settings throttle everything to 0.
            default_route_settings=apigatewayv2.StageDefaultRouteSettingsArgs(
                throttling_rate_limit=RATE_PER_SECOND, throttling_burst_limit=BURST
            ),
            access_log_settings=apigatewayv2.StageAccessLogSettingsArgs(
                destination_arn=logs.arn, format=json.dumps({key: f"$context.{key}" for key in fields})
            ),
            opts=child,
        )  # fmt: skip
        lambda_.Permission(
            name, action="lambda:InvokeFunction", function=function.name, principal="apigateway.amazonaws.com",
            source_arn=pulumi.Output.concat(api.execution_arn, "/*"), opts=child,
        )  # fmt: skip
        self.url = pulumi.Output.all(api.api_endpoint, stage.id).apply(lambda both: str(both[0]))
        self.register_outputs({"url": self.url})
