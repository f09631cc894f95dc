"""Stack config, typed: everything under the namespace `twofold`, all problems at once, before any resource."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from twofold.manifest import ServiceManifest
from twofold.settings import ORIGIN, is_origin

NAMESPACE = "twofold:"
MEMORY_MB = (512, 1024, 2048, 4096)
LOG_LEVELS = ("debug", "info", "warning", "error")


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
    publisher_email: str = "unset@example.com"
    settings: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


KEYS = {
    "cloud": "cloud", "environment": "environment", "region": "region", "oidcIssuer": "oidc_issuer",
    "oidcAudience": "oidc_audience", "corsOrigins": "cors_origins", "memoryMb": "memory_mb",
    "logLevel": "log_level", "protect": "protect", "publisherEmail": "publisher_email", "settings": "settings", "tags": "tags",
}  # fmt: skip
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
    for key in ("settings", "tags"):
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
    if problems:
        raise ConfigError("stack config is wrong:\n" + "\n".join(f"  - {problem}" for problem in problems))
    values["protect"] = given.get("protect", "true" if environment == "prod" else "false") == "true"
    values["memory_mb"] = int(given.get("memoryMb", "1024"))
    return StackConfig(**values)


def _texts(key: str, raw: str | None, problems: list[str]) -> dict[str, str]:
    try:
        value = json.loads(raw or "{}")
    except ValueError:
        value = None
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        problems.append(f"twofold:{key} must be an object of texts")
        return {}
    return value
