"""The tokens that an update's dynamic resources need, fetched at its very beginning.

In a pipeline `az` exchanges an assertion of five minutes for a token whenever a scope has none yet; the resources that need one
come last, after Cosmos DB and the gateway (azure/login#372). A token itself is good for an hour. So this resource, which waits for
nothing, has them fetched when it is registered. They stay in the memory of the process that runs the dynamic resources.
"""

import contextlib
from collections.abc import Sequence
from typing import Any

import pulumi
from pulumi import dynamic

from twofold.deploy.azure import login
from twofold.deploy.azure.health import LOGS_SCOPE
from twofold.deploy.dynamic_provider import DynamicProvider

SCOPES = (login.SCOPE, login.STORAGE, LOGS_SCOPE, f"{login.GRAPH}/.default")


class _Provider(DynamicProvider):
    update_on = ("scopes",)

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> dynamic.CheckResult:
        """What the engine asks first, in every run: also when nothing is to be made."""
        fetch(news["scopes"])
        return dynamic.CheckResult(news, [])

    def resource_id(self, props: dict[str, Any]) -> str:
        return "tokens"

    def apply(self, props: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
        return {}


def fetch(scopes: Sequence[str]) -> None:
    """Fetches a token for each, until one is not to be had: whoever needs it says so then."""
    with contextlib.suppress(Exception):
        for scope in scopes:
            login.token(scope)


class Tokens(dynamic.Resource):
    """No input but the scopes' names, no output: no token enters the state."""

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(_Provider(), f"{name}-tokens", {"scopes": list(SCOPES)}, opts)
