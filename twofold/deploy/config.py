"""Stack config, typed: everything under the namespace `twofold`, all problems at once, before any resource."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from twofold.manifest import ServiceManifest
from twofold.settings import Settings

NAMESPACE = "twofold:"
LIMITS: dict[str, str] = {
    kind: Settings.model_fields[f"limit_{kind}"].default for kind in ("reads", "writes", "anonymous")
}
RESOURCE_MANAGER = "https://management.azure.com/"
OUTDATED = "stacks/{}.py is of an earlier version and passes neither network nor key on: see CHANGELOG.md for the lines"


class ConfigError(Exception):
    """Stack config is wrong; the message has a line for each problem."""


@dataclass(frozen=True, slots=True)
class StackConfig:
    """What a stack's file says. `region` is an AWS region or an Azure location; an empty text is what is not set."""

    cloud: str
    environment: str
    region: str
    oidc_issuer: str
    oidc_audience: str
    issuer: str = "existing"
    machine_client: bool = False
    customer: str = ""
    memory_mb: int = 1024
    cors_origins: str = ""
    log_level: str = "info"
    protect: bool = False
    gateway: str = "managed"
    gateway_rate: int | None = None
    gateway_audience: str = RESOURCE_MANAGER
    apim: str = ""
    apim_sku: str = "Consumption"
    edge: str = "none"
    static: str = ""
    domain: str = ""
    dns_zone: str = ""
    publisher_email: str = "unset@example.com"
    cache: str = "none"
    limits: dict[str, str] = field(default_factory=LIMITS.copy)
    max_instances: dict[str, int] = field(default_factory=dict)
    warm_instances: dict[str, int] = field(default_factory=dict)
    snap_start: bool = False
    rolling_updates: bool = False
    image: str = ""
    registry: str = ""
    artifact: str = ""
    releases: int = 5
    account: str = ""
    assume_role: str = ""
    external_id: str = ""
    permissions_boundary: str = ""
    subscription: str = ""
    tenant: str = ""
    deployer: str = ""
    network: str = "none"
    subnets: tuple[str, ...] = ()
    encryption_key: str = ""
    encryption_identity: str = ""
    log_workspace: str = ""
    budget: int | None = None
    alert_email: str = ""
    alert_webhook: str = ""
    telemetry: str = "none"
    trace_ratio: str = "1"
    settings: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def prefix(self, manifest: ServiceManifest) -> str:
        """What every resource's name begins with: `<service>-<customer>-<environment>`, without a customer two parts."""
        return "-".join(part for part in (manifest.name, self.customer, self.environment) if part)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


KEYS = {_camel(one.name): one.name for one in fields(StackConfig)}
"""What stands in a stack's file, and the field that it becomes."""
_REQUIRED, _ISSUER = ("cloud", "environment", "region"), ("oidcIssuer", "oidcAudience")
"""What has to be said: the issuer by both keys unless it is managed."""
_TEXTS, _NUMBERS = ("settings", "tags", "limits"), ("maxInstances", "warmInstances")


def parse(raw: Mapping[str, str], stack: str, manifest: ServiceManifest) -> StackConfig:
    """The config of a stack from its raw keys; raises ConfigError with every problem, each with what is allowed."""
    from twofold.deploy import config_rules, config_values  # they read this module

    entries = {key.removeprefix(NAMESPACE): value for key, value in raw.items() if key.startswith(NAMESPACE)}
    problems = [f"twofold:{key} is unknown; known are {', '.join(KEYS)}" for key in sorted(set(entries) - set(KEYS))]
    problems += [
        f"twofold:{key} is missing; set it: pulumi config set twofold:{key} …"
        for key in (*_REQUIRED, *(() if entries.get("issuer") == "managed" else _ISSUER))
        if not entries.get(key)
    ]
    problems += config_values.problems(entries)
    values: dict[str, Any] = {"oidc_issuer": "", "oidc_audience": ""}
    values |= {KEYS[key]: value for key, value in entries.items() if key in KEYS and value}
    for keys, kind in ((_TEXTS, str), (_NUMBERS, int)):
        for key in keys:
            values[KEYS[key]] = _object(key, entries.get(key), kind, problems)
    problems += config_rules.problems(entries, values, raw, stack, manifest)
    if problems:
        raise ConfigError("stack config is wrong:\n" + "\n".join(f"  - {problem}" for problem in problems))
    values["limits"] = LIMITS | values["limits"]
    values["protect"] = entries.get("protect", "true" if entries["environment"] == "prod" else "false") == "true"
    values["machine_client"] = entries.get("machineClient") == "true"
    values["snap_start"] = entries.get("snapStart") == "true"
    values["rolling_updates"] = entries.get("rollingUpdates") == "true"
    values["subnets"] = tuple(config_values.listed(entries.get("subnets", "")))
    values |= {
        name: int(values[name]) for name in ("memory_mb", "gateway_rate", "budget", "releases") if name in values
    }
    return StackConfig(**values)


def _object(key: str, raw: str | None, kind: type, problems: list[str]) -> dict[str, Any]:
    try:
        value = json.loads(raw or "{}")
    except ValueError:
        value = None
    if not isinstance(value, dict) or not all(type(item) is kind for item in value.values()):
        problems.append(f"twofold:{key} must be an object of {'texts' if kind is str else 'whole numbers'}")
        return {}
    return value
