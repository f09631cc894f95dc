"""What a manifest promises, and where each stack keeps the promise: the table of capabilities.

A capability is one line: what it is called, which entries of the manifest it comes from, and a function for each cloud
that tells the logical names of the resources that deliver an entry. An entry that a stack delivers with nothing is dropped there.
Another capability (an alias, alarms, a network) is another line.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from html import unescape
from typing import Any

from tests.stacks.stack import ROOT, UNIT, variables
from twofold.deploy.routes import operations
from twofold.manifest import ServiceManifest
from twofold.portable.message_queue import dead_letter_name
from twofold.settings import variable_names

type Found = Iterable[tuple[str, Mapping[str, Any]]]
"""Logical names and inputs of a stack's resources of one type."""
type Place = Callable[["Stack", str], set[str]]


@dataclass(frozen=True)
class Stack:
    """A captured stack: `resources` by URN as (type, inputs), and the prefix of its names."""

    resources: Mapping[str, tuple[str, Mapping[str, Any]]]
    prefix: str
    manifest: ServiceManifest

    def of(self, token: str) -> Found:
        """The resources of a type."""
        return [(urn.rpartition("::")[2], inputs) for urn, (kind, inputs) in self.resources.items() if kind == token]


@dataclass(frozen=True)
class Capability:
    """One line of the table."""

    name: str
    entries: Callable[[ServiceManifest], Iterable[str]]
    aws: Place
    azure: Place


def named(token: str, suffix: str = "-{}") -> Place:
    """Delivered by the resource of a type whose logical name is the prefix and the entry's."""
    return lambda stack, entry: {name for name, _ in stack.of(token) if name == stack.prefix + suffix.format(entry)}


def _where(token: str, says: Callable[[Mapping[str, Any], "Stack", str], bool]) -> Place:
    return lambda stack, entry: {name for name, inputs in stack.of(token) if says(inputs, stack, entry)}


def _in_unit(token: str, role: str) -> Place:
    """Delivered by the code of a unit: whatever it declares, its function runs."""
    return _where(token, lambda inputs, _, __: variables(inputs)["TWOFOLD_ROLE"] == role)


def _unit_of(queue: str, manifest: ServiceManifest) -> str:
    return next(spec.unit for spec in manifest.queues if spec.name == queue)


ROUTED = {scope for one in operations(json.loads((ROOT / "openapi.json").read_text())) for scope in one.scopes}
FUNCTION, APP = UNIT["aws"], UNIT["azure"]


def _every_unit_has(token: str, variable: Callable[[str], str]) -> Place:
    def place(stack: Stack, entry: str) -> set[str]:
        units = {name: variables(inputs) for name, inputs in stack.of(token)}
        return set(units) if all(variable(entry) in unit for unit in units.values()) else set()

    return place


def _setting(name: str) -> str:
    return f"TWOFOLD_APP_{name.upper()}"


def _routes(stack: Stack, scope: str) -> set[str]:
    return {
        name
        for name, inputs in stack.of("aws:apigatewayv2/route:Route")
        if scope in (inputs.get("authorizationScopes") or ())
    }


def _scope(token: str, place: Place) -> Place:
    """At the gateway, for a scope that a route asks for; what a handler asks for by itself is known to the http unit's code."""
    return lambda stack, scope: place(stack, scope) if scope in ROUTED else _in_unit(token, "http")(stack, scope)


def _twins(entries: Iterable[str]) -> list[str]:
    return [dead_letter_name(entry) for entry in entries]


TABLE = (
    Capability(
        "unit", lambda m: [unit.role for unit in m.units], named(FUNCTION), named(APP)
    ),
    Capability(
        "block", lambda m: sorted(m.blocks),
        named("aws:dynamodb/table:Table"), named("azure-native:cosmosdb:SqlResourceSqlContainer"),
    ),
    Capability(
        "collection", lambda m: sorted(m.store_collections),
        named("aws:dynamodb/table:Table"), named("azure-native:cosmosdb:SqlResourceSqlContainer"),
    ),
    Capability("queue", lambda m: [q.name for q in m.queues], named("aws:sqs/queue:Queue"), named("azure-native:storage:Queue")),
    Capability(
        "dead letters of a queue", lambda m: _twins(q.name for q in m.queues),
        named("aws:sqs/queue:Queue"), named("azure-native:storage:Queue"),
    ),
    Capability(
        "alarm on dead letters", lambda m: _twins(q.name for q in m.queues),
        named("aws:cloudwatch/metricAlarm:MetricAlarm"), named("azure-native:monitor:ScheduledQueryRule"),
    ),
    Capability(
        "worker of a queue", lambda m: [q.name for q in m.queues],
        named("aws:lambda/eventSourceMapping:EventSourceMapping"),
        # The trigger is in the code; the unit has the connection that it names.
        lambda stack, queue: {
            name for name, inputs in stack.of(APP)
            if variables(inputs)["TWOFOLD_ROLE"] == _unit_of(queue, stack.manifest)
            and "QUEUES__queueServiceUri" in variables(inputs)
        },
    ),
    Capability(
        "consumer or projection of the feed", lambda m: [s.name for s in (*m.consumers, *m.projections)],
        # One feed function serves all of them.
        lambda stack, _: named("aws:lambda/eventSourceMapping:EventSourceMapping")(stack, "feed")
        and _in_unit(FUNCTION, "feed")(stack, ""),
        lambda stack, _: named("azure-native:cosmosdb:SqlResourceSqlContainer")(stack, "leases")
        and _in_unit(APP, "feed")(stack, ""),
    ),
    Capability(
        "schedule", lambda m: [s.name for s in m.schedules],
        _where("aws:scheduler/schedule:Schedule",
               lambda inputs, _, entry: json.loads(inputs["target"]["input"])["twofold"]["schedule"] == entry),
        lambda stack, _: _in_unit(APP, "schedule")(stack, ""),  # a timer trigger in the code
    ),
    Capability(
        "secret", lambda m: [s.name for s in m.secrets],
        _where("aws:secretsmanager/secret:Secret", lambda inputs, stack, entry: inputs["name"] == f"{stack.prefix}/{entry}"),
        lambda stack, _: {name for name, _ in stack.of("azure-native:keyvault:Vault")},  # values are set in it, by name
    ),
    Capability(
        "setting", lambda m: [s.name for s in m.settings],
        _every_unit_has(FUNCTION, _setting), _every_unit_has(APP, _setting),
    ),
    Capability(
        "setting of the kit", lambda m: sorted(variable_names(m)),
        _every_unit_has(FUNCTION, str), _every_unit_has(APP, str),
    ),
    Capability(
        "scope", lambda m: m.scopes, _scope(FUNCTION, _routes),
        _scope(APP, _where("azure-native:apimanagement:ApiPolicy",
                           lambda inputs, _, entry: f'"{entry}"' in unescape(inputs["value"]))),
    ),
    Capability(
        "published event", lambda m: m.publishes,
        lambda stack, _: {name for name, _ in stack.of("aws:cloudwatch/eventBus:EventBus")},
        lambda stack, _: {name for name, _ in stack.of("azure-native:eventgrid:Topic")},
    ),
)  # fmt: skip
MANIFEST = {
    "blocks": ("block",),
    "collections": ("collection",),
    "queues": ("queue", "dead letters of a queue", "alarm on dead letters", "worker of a queue"),
    "consumers": ("consumer or projection of the feed",),
    "projections": ("consumer or projection of the feed",),
    "schedules": ("schedule",),
    "secrets": ("secret",),
    "settings": ("setting",),
    "scopes": ("scope",),
    "publishes": ("published event",),
}
"""The manifest's fields that need something of a cloud, and the lines that deliver their entries."""
CODE_ALONE = {"name", "app", "title", "packages", "upcasters", "sample_request"}
"""Fields that name code or text, the same in the artifact of each cloud."""


def compared(manifest: ServiceManifest, stacks: Mapping[str, Stack]) -> dict[tuple[str, str], dict[str, set[str]]]:
    """For each capability and entry, where it is in each cloud's stack."""
    return {
        (line.name, entry): {cloud: getattr(line, cloud)(stack, entry) for cloud, stack in stacks.items()}
        for line in TABLE
        for entry in line.entries(manifest)
    }
