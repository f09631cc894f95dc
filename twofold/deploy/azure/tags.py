"""The stack's tags on everything that takes tags, as AWS' provider does it by itself; the user's own resources too.

Azure refuses tags where a type has none. Which has them, azure-native's own classes say: an argument `tags` that is a mapping of
texts (a saved search's `tags` are a list of something else).
"""

import importlib
import inspect
from collections import abc
from collections.abc import Mapping
from functools import cache
from typing import Any, get_args, get_origin

import pulumi

PARTS = ("azure-native:cosmosdb:SqlResourceSqlDatabase", "azure-native:cosmosdb:SqlResourceSqlContainer")
"""Parts of an account that the schema gives tags to, but not Microsoft's list of what supports them ("Tag support for Azure
resources" has `databaseAccounts` alone): what Azure did not give back would be drift every night."""


def every(tags: Mapping[str, str]) -> None:
    """Tags all that is made from here on; a resource's own tags come before these."""

    def tagged(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
        if not taken(args.type_):
            return None
        props: dict[str, Any] = dict(args.props)
        own = props.get("tags") or {}
        props["tags"] = (
            {**tags, **own} if isinstance(own, Mapping)
            else pulumi.Output.from_input(own).apply(lambda known: {**tags, **(known or {})})
        )  # fmt: skip
        return pulumi.ResourceTransformResult(props=props, opts=args.opts)

    pulumi.runtime.register_resource_transform(tagged)


@cache
def taken(type: str) -> bool:
    """Whether resources of this type token take tags."""
    provider, _, rest = type.partition(":")
    module, _, name = rest.partition(":")
    if provider != "azure-native" or type in PARTS:
        return False
    resource = getattr(importlib.import_module(f"pulumi_azure_native.{module}"), name, None)
    argument = inspect.signature(resource._internal_init).parameters.get("tags") if resource else None
    return argument is not None and any(get_origin(one) is abc.Mapping for one in get_args(argument.annotation))
