"""The HTTP API: its address, routes, integration, authorizer and stage."""

from tests.engine.emulated.kind import Plain, client_of


class Api(Plain):
    """An API, with the address that the account gives it."""

    def __init__(self):
        super().__init__("apigatewayv2", "api", "ApiId")

    def read(self, client, resource_id, inputs):
        """See `Kind`."""
        return super().read(client, resource_id, inputs) | {
            "arn": f"arn:aws:apigateway:{client.meta.region_name}::/apis/{resource_id}",
            "executionArn": f"arn:aws:execute-api:{client.meta.region_name}:{account_of(client)}:{resource_id}",
        }


class Stage(Plain):
    """A stage. Its routes' settings are a list in the program and a map in the account."""

    def __init__(self):
        super().__init__("apigatewayv2", "stage", "StageName", within=("apiId", "ApiId"), renamed={"name": "StageName"})

    def arguments(self, inputs):
        """See `Plain`."""
        arguments = super().arguments(inputs)
        if "RouteSettings" in arguments:
            arguments["RouteSettings"] = {one.pop("RouteKey"): one for one in arguments["RouteSettings"]}
        return arguments

    def properties(self, answer):
        """See `Plain`."""
        settings = answer.get("RouteSettings", {})
        apart = super().properties({name: value for name, value in answer.items() if name != "RouteSettings"})
        return apart | {"routeSettings": [super().properties(one) | {"routeKey": key} for key, one in settings.items()]}


def account_of(client):
    return client_of("sts", client.meta.region_name).get_caller_identity()["Account"]


def _part(noun, resource_id, **renamed):
    return Plain("apigatewayv2", noun, resource_id, within=("apiId", "ApiId"), renamed=renamed)


KINDS = {
    "aws:apigatewayv2/api:Api": Api(),
    "aws:apigatewayv2/integration:Integration": _part(
        "integration", "IntegrationId", timeoutMilliseconds="TimeoutInMillis"
    ),
    "aws:apigatewayv2/authorizer:Authorizer": _part(
        "authorizer", "AuthorizerId", identitySources="IdentitySource", audiences="Audience"
    ),
    "aws:apigatewayv2/route:Route": _part("route", "RouteId"),
    "aws:apigatewayv2/stage:Stage": Stage(),
}
