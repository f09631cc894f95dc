"""Releases: each unit's alias `live`, which moves to a new version once all units' new versions are healthy.

Versions that were live are kept, the last of them, to roll back to: pointing `live` at one of them is all that it takes.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi import dynamic
from pulumi_aws import lambda_

from twofold.deploy.aws.health import HealthCheck
from twofold.deploy.aws.login import client
from twofold.deploy.config import StackConfig
from twofold.deploy.dynamic_provider import DynamicProvider

LIVE = "live"
LEAST = 2
"""Versions that are kept in any case: calls reach the one before for seconds after `live` has moved, and would fail without
it (DataBiosphere/azul#7883, confirmed there by AWS)."""


class Release(pulumi.ComponentResource):
    """`live` has each unit's alias by role: what gateways, queues, feeds and schedules call.

    When one of the new versions is not healthy, the update ends with the reason and no alias has moved.
    """

    def __init__(
        self, name: str, *, config: StackConfig, functions: Mapping[str, lambda_.Function],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:  # fmt: skip
        super().__init__("twofold:aws:Release", name, None, opts)
        self._name, self._config, self._child = name, config, pulumi.ResourceOptions(parent=self)
        checks = [self._check(role, function) for role, function in functions.items()]
        self.live = {role: self._alias(role, function, after=checks) for role, function in functions.items()}
        self.register_outputs({})

    def _check(self, role: str, function: lambda_.Function) -> HealthCheck:
        return HealthCheck(
            f"{self._name}-{role}-health", function=function.name, version=function.version, http=role == "http",
            **_login(self._config), opts=self._child,
        )  # fmt: skip

    def _alias(self, role: str, function: lambda_.Function, after: Sequence[pulumi.Resource]) -> lambda_.Alias:
        name = f"{self._name}-{role}"
        alias = lambda_.Alias(
            name, name=LIVE, function_name=function.name, function_version=function.version,
            description="what is in use", opts=pulumi.ResourceOptions(parent=self, depends_on=after),
        )  # fmt: skip
        if warm := self._config.warm_instances.get(role):
            lambda_.ProvisionedConcurrencyConfig(
                name, function_name=function.name, qualifier=alias.name, provisioned_concurrent_executions=warm,
                opts=self._child,
            )  # fmt: skip
        Kept(
            f"{name}-kept", function=function.name, version=alias.function_version,
            keep=max(LEAST, self._config.releases), **_login(self._config), opts=self._child,
        )  # fmt: skip
        return alias


def _login(config: StackConfig) -> dict[str, str]:
    return {"region": config.region, "assume_role": config.assume_role, "external_id": config.external_id}


class Kept(dynamic.Resource):
    """The last `keep` versions that were live, as the output `released`; older ones are deleted after `live` has moved."""

    released: pulumi.Output[list[str]]

    def __init__(
        self, name: str, *, function: pulumi.Input[str], version: pulumi.Input[str], keep: int, region: str,
        assume_role: str, external_id: str, opts: pulumi.ResourceOptions | None = None,
    ) -> None:  # fmt: skip
        props = {
            "function": function, "version": version, "keep": keep, "region": region, "assume_role": assume_role,
            "external_id": external_id, "released": None,
        }  # fmt: skip
        super().__init__(_Provider(), name, props, opts)


class _Provider(DynamicProvider):
    update_on = ("function", "version", "keep")

    def resource_id(self, props: dict[str, Any]) -> str:
        return f"{props['function']}-kept"

    def apply(self, props: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
        live = props["version"]
        released = [*(version for version in before.get("released") or [] if version != live), live]
        newest = released[-int(props["keep"]) :]
        prune(client("lambda", props["region"], props["assume_role"], props["external_id"]), props["function"], newest)
        return {"released": newest}


def prune(lambda_: Any, function: str, kept: Sequence[str]) -> None:
    """Deletes the versions before the last of `kept`, but for those in it and those that an alias points at.

    So what never was live goes too. `lambda_` is boto3's client; versions are numbers, ever higher.
    """
    pointed: set[str] = set()
    for page in lambda_.get_paginator("list_aliases").paginate(FunctionName=function):
        for alias in page["Aliases"]:
            weights = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
            pointed |= {alias["FunctionVersion"], *weights}
    versions = [
        version["Version"]
        for page in lambda_.get_paginator("list_versions_by_function").paginate(FunctionName=function)
        for version in page["Versions"]
        if version["Version"] != "$LATEST"
    ]
    for version in versions:
        if int(version) < int(kept[-1]) and version not in pointed.union(kept):
            lambda_.delete_function(FunctionName=function, Qualifier=version)
