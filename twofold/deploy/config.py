"""Stack config, typed: everything under the namespace `twofold`, all problems at once, before any resource."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from twofold.manifest import ServiceManifest
from twofold.portable.rate_limit import Rate
from twofold.settings import ORIGIN, Settings, is_origin

NAMESPACE = "twofold:"
MEMORY_MB = (512, 1024, 2048, 4096)
LOG_LEVELS = ("debug", "info", "warning", "error")
CACHES = ("none", "redis")
LIMITS: dict[str, str] = {
    kind: Settings.model_fields[f"limit_{kind}"].default for kind in ("reads", "writes", "anonymous")
}
GATEWAYS = ("managed", "existing", "none")
EDGES = ("none", "waf")
APIM_SKUS = ("Consumption", "Developer", "Basic", "BasicV2", "Standard", "StandardV2", "Premium")
RESOURCE_MANAGER = "https://management.azure.com/"


class ConfigError(Exception):
    """Stack config is wrong; the message has a line for each problem."""


@dataclass(frozen=True, slots=True)
class StackConfig:
    """What a stack's file says. `region` is an AWS region or an Azure location."""

    cloud: str
    environment: str
    region: str
    oidc_issuer: str
    oidc_audience: str
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
    publisher_email: str = "unset@example.com"
    cache: str = "none"
    limits: dict[str, str] = field(default_factory=LIMITS.copy)
    settings: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


KEYS = {
    "cloud": "cloud", "environment": "environment", "region": "region", "oidcIssuer": "oidc_issuer",
    "oidcAudience": "oidc_audience", "corsOrigins": "cors_origins",
    "memoryMb": "memory_mb", "logLevel": "log_level", "protect": "protect",
    "publisherEmail": "publisher_email", "cache": "cache", "limits": "limits", "settings": "settings", "tags": "tags",
    "gateway": "gateway", "gatewayRate": "gateway_rate", "gatewayAudience": "gateway_audience", "apim": "apim",
    "apimSku": "apim_sku", "edge": "edge",
}  # fmt: skip
_AZURE_ONLY = ("apim", "apimSku", "gatewayAudience")
_APIM = re.compile(
    r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.ApiManagement/service/[A-Za-z][A-Za-z0-9-]*"
)
_REQUIRED = ("cloud", "environment", "region", "oidcIssuer", "oidcAudience")


def clouds() -> tuple[str, ...]:
    """The clouds that have components: the folders beside this file."""
    return tuple(sorted(path.parent.name for path in Path(__file__).parent.glob("*/__init__.py")))


def parse(raw: Mapping[str, str], stack: str, manifest: ServiceManifest) -> StackConfig:
    """The config of a stack from its raw keys; raises ConfigError with every problem, each with what is allowed."""
    given = {key.removeprefix(NAMESPACE): value for key, value in raw.items() if key.startswith(NAMESPACE)}
    problems = [f"twofold:{key} is unknown; known are {', '.join(KEYS)}" for key in sorted(set(given) - set(KEYS))]
    problems += [
        f"twofold:{key} is missing; set it: pulumi config set twofold:{key} …"
        for key in _REQUIRED
        if not given.get(key)
    ]
    values: dict[str, Any] = {name: given[key] for key, name in KEYS.items() if key in given}

    def check(key: str, fine: bool, allowed: str) -> None:
        if given.get(key) and not fine:
            problems.append(f"twofold:{key} is {given[key]!r}; allowed: {allowed}")

    cloud = given.get("cloud", "")
    check("cloud", cloud in clouds(), ", ".join(clouds()))
    if cloud in clouds() and not stack.endswith(f"-{cloud}"):
        problems.append(
            f"twofold:cloud is {cloud!r} but the stack is {stack!r}: its name must end in '-{cloud}'. To change clouds make a "
            f"new stack; changing a living one would delete its data"
        )
    environment = given.get("environment", "")
    check(
        "environment", environment.isalnum() and environment.islower() and len(environment) <= 12, "1 to 12 of a-z, 0-9"
    )
    check("oidcIssuer", given.get("oidcIssuer", "").startswith("https://"), "an https URL")
    origins = [one.strip() for one in given.get("corsOrigins", "").split(",") if one.strip()]
    check("corsOrigins", all(is_origin(one, deployed=True) for one in origins), f"origins by commas; {ORIGIN}")
    check("memoryMb", given.get("memoryMb") in [str(size) for size in MEMORY_MB], ", ".join(map(str, MEMORY_MB)))
    check("logLevel", given.get("logLevel") in LOG_LEVELS, ", ".join(LOG_LEVELS))
    check("protect", given.get("protect") in ("true", "false"), "true, false")
    check("cache", given.get("cache") in CACHES, ", ".join(CACHES))
    check("gateway", given.get("gateway") in GATEWAYS, ", ".join(GATEWAYS))
    check("edge", given.get("edge") in EDGES, ", ".join(EDGES))
    check("apimSku", given.get("apimSku") in APIM_SKUS, ", ".join(APIM_SKUS))
    check("apim", _APIM.fullmatch(given.get("apim", "")) is not None, "the resource id of an API Management service")
    rate = given.get("gatewayRate", "")
    check("gatewayRate", rate.isdigit() and 1 <= int(rate) <= 10_000, "requests per second, 1 to 10000")
    problems += _gateway_problems(given, manifest)
    for key in ("settings", "tags", "limits"):
        values[KEYS[key]] = _texts(key, given.get(key), problems)
    known = {spec.name for spec in manifest.settings}
    problems += [
        f"twofold:settings has {name!r}, which the manifest does not declare; it has {sorted(known)}"
        for name in sorted(set(values["settings"]) - known)
    ]
    problems += [
        f"twofold:settings.{spec.name} is missing: {spec.description}"
        for spec in manifest.settings
        if spec.required and not values["settings"].get(spec.name)
    ]
    problems += _limit_problems(values["limits"])
    values["limits"] = LIMITS | values["limits"]
    if problems:
        raise ConfigError("stack config is wrong:\n" + "\n".join(f"  - {problem}" for problem in problems))
    values["protect"] = given.get("protect", "true" if environment == "prod" else "false") == "true"
    values["memory_mb"] = int(given.get("memoryMb", "1024"))
    values["gateway_rate"] = int(rate) if rate else None
    return StackConfig(**values)


def _limit_problems(limits: Mapping[str, str]) -> list[str]:
    problems = [
        f"twofold:limits has {kind!r}; it may have {', '.join(LIMITS)}" for kind in sorted(set(limits) - set(LIMITS))
    ]
    for kind, rate in limits.items():
        try:
            Rate.parse(rate)
        except ValueError as exc:
            problems.append(f"twofold:limits.{kind} is {rate!r}: {exc}")
    return problems


def _gateway_problems(given: Mapping[str, str], manifest: ServiceManifest) -> list[str]:
    """What the chosen cloud, gateway, tier and edge can't do together."""
    cloud, gateway = given.get("cloud"), given.get("gateway", "managed")
    problems = []
    if gateway == "none" and not manifest.scopes:
        problems.append(
            "twofold:gateway is 'none', but the service verifies no tokens: declare its scopes in the manifest, or keep a gateway"
        )
    if gateway == "none" and given.get("edge", "none") != "none":
        problems.append("twofold:edge needs a gateway behind it: set twofold:gateway to managed, or leave the edge out")
    if gateway == "none" and given.get("gatewayRate"):
        problems.append("twofold:gatewayRate needs a gateway that counts; the service's own limits hold without")
    if cloud == "aws":
        if gateway == "existing":
            problems.append(
                "twofold:gateway is 'existing', which is Azure's: an HTTP API costs nothing at rest, so each service has its own"
            )
        problems += [f"twofold:{key} is Azure's; leave it out on aws" for key in _AZURE_ONLY if given.get(key)]
    if cloud == "azure":
        if (gateway == "existing") != bool(given.get("apim")):
            problems.append(
                "twofold:apim names the existing service: give it with twofold:gateway existing, and only then"
            )
        if given.get("gatewayRate") and gateway != "none" and given.get("apimSku", "Consumption") == "Consumption":
            problems.append(
                "twofold:gatewayRate is set, but API Management's Consumption tier counts only subscription keys: choose another "
                "twofold:apimSku, or leave the rate to the service's own limits"
            )
    return problems


def _texts(key: str, raw: str | None, problems: list[str]) -> dict[str, str]:
    try:
        value = json.loads(raw or "{}")
    except ValueError:
        value = None
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        problems.append(f"twofold:{key} must be an object of texts")
        return {}
    return value
