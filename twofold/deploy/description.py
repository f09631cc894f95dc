"""A stack as data: what it would make, run, grant and deploy, told without an engine, a cloud or a login."""

import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pulumi

from twofold.deploy import output_placeholders, package, routes
from twofold.deploy.config import StackConfig
from twofold.deploy.program import PlannedResource
from twofold.manifest import ServiceManifest, Unit
from twofold.settings import variable_names

UNKNOWN = "${unknown}"
"""What follows from something that only a cloud or an update knows."""
NAMES_DIFFER = (
    "Azure's unique names (with a hash) are those of no subscription: set twofold:subscription, or ARM_SUBSCRIPTION_ID"
)

type Units = Callable[[Iterable[PlannedResource]], Mapping[str, Mapping[str, Any]]]


def describe(
    manifest: ServiceManifest, stack: str, config: StackConfig, root: Path, units: Units,
    planned: Callable[..., tuple[PlannedResource, ...]],
) -> dict[str, Any]:  # fmt: skip
    """JSON's types alone. The artifact is built as for an update. Raises ConfigError and PackageError."""
    artifact = package.artifact(manifest, config, root)
    subscription = config.subscription or os.environ.get("ARM_SUBSCRIPTION_ID", "")
    # Built once: the program then deploys it by its digest.
    once = replace(config, subscription=subscription, artifact="" if config.image else artifact.digest)
    resources, prefix = planned(output_placeholders.id_and_outputs, config=once), config.prefix(manifest)
    by_name = units(resources)
    return {
        "service": manifest.name,
        "stack": stack,
        "cloud": config.cloud,
        "region": config.region,
        "artifact": {"image": config.image}
        if config.image
        else {"path": str(artifact.path), "digest": artifact.digest},
        "units": [_unit(manifest, unit, by_name[f"{prefix}-{unit.role}"]) for unit in manifest.units],
        "resources": [{"type": one.type, "name": one.name, "properties": _plain(one.inputs)} for one in resources],
        "routes": [
            {"method": one.method, "path": one.path, "open": one.open, "scopes": list(one.scopes)}
            for one in routes.operations(json.loads((root / "openapi.json").read_text()))
        ],
        "notes": [NAMES_DIFFER] if config.cloud == "azure" and not subscription else [],
    }


def _unit(manifest: ServiceManifest, unit: Unit, facts: Mapping[str, Any]) -> dict[str, Any]:
    environment = dict.fromkeys(variable_names(manifest), UNKNOWN) | _plain(facts["environment"])
    return {
        "role": unit.role,
        "description": unit.description,
        "runs": facts["runs"],
        "triggers": list(_triggers(manifest, unit)),
        "environment": dict(sorted(environment.items())),
        "permissions": _plain(facts["permissions"]),
    }


def _triggers(manifest: ServiceManifest, unit: Unit) -> Iterable[dict[str, Any]]:
    if unit.role == "http":
        yield {"kind": "http"}
    if unit.role == "feed":
        yield {"kind": "feed", "of": "events"}
    if unit.role == "schedule":
        yield from (
            {"kind": "schedule", "name": one.name, "every_minutes": one.every_minutes} for one in manifest.schedules
        )
    for queue in unit.queues:
        yield {
            "kind": "queue", "name": queue.name, "max_attempts": queue.max_attempts,
            "visibility_seconds": queue.visibility_seconds,
        }  # fmt: skip


def _plain(value: Any) -> Any:
    match value:
        case Mapping():
            return {key: _plain(inner) for key, inner in value.items() if not key.startswith("__")}
        case list() | tuple():
            return [_plain(inner) for inner in value]
        case float() if value.is_integer():  # the protocol knows no other numbers
            return int(value)
        case pulumi.FileArchive() | pulumi.FileAsset():
            return value.path
        case None | bool() | int() | float() | str():
            return value
        case _:
            return UNKNOWN
