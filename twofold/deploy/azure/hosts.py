"""How a stack's apps are, for a report: what each host says of itself, and its last error. Only reads."""

from collections.abc import Mapping
from typing import Any

from twofold.deploy.azure import health, login
from twofold.deploy.config import StackConfig

TYPE = "azure-native:web:WebApp"


def hosts(config: StackConfig, units: Mapping[str, str]) -> dict[str, Any]:
    """Of each app, by name: its host's status and its log, as the health check tells them; `units` are resource ids."""
    return {name: health.explain(app, app, login.token) for name, app in units.items()}
