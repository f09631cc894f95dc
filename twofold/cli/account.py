"""`twofold deployer`, `preflight`, `describe`: what one stack takes to deploy, what its account must have, what it asks for."""

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from twofold.cli.output import acts
from twofold.deploy import description, issuer, program
from twofold.deploy.checks import Check
from twofold.deploy.config import ConfigError, StackConfig
from twofold.deploy.package import PackageError
from twofold.deploy.program import PlannedResource
from twofold.deploy.user_errors import warn
from twofold.errors import TwofoldError
from twofold.manifest import ServiceManifest


class AccountError(TwofoldError):
    """A stack's file, its program or the account's answer is wrong; the message says which."""


def deployer(manifest: ServiceManifest, cloud: str, env: str) -> dict[str, Any]:
    """The documents by name."""
    with _stack(manifest, cloud, env, "deployer") as (module, config, planned):
        documents: dict[str, Any] = module.documents(config, config.prefix(manifest), planned())
        if cloud == "azure" and not config.deployer:
            warn(
                "the stack names no deployer, so under this condition only a service principal, a pipeline's, can make it. Where a "
                "person or a group deploys, set twofold:deployer first, then print this again"
            )
        return documents


def preflight(manifest: ServiceManifest, cloud: str, env: str) -> list[Check]:
    """What was asked, and found."""
    with _stack(manifest, cloud, env, "preflight") as (module, config, planned):
        acts(f"{env}-{cloud}", config.region)
        asks = [issuer.look(config.oidc_issuer)] if config.issuer == "existing" else []
        return [*module.check(config, planned), *asks]


def describe(manifest: ServiceManifest, cloud: str, env: str) -> dict[str, Any]:
    """All that a stack is: for those who make it with a tool of their own. What only a cloud knows is a placeholder."""
    with _stack(manifest, cloud, env, "describe") as (module, config, planned):
        return description.describe(manifest, f"{env}-{cloud}", config, Path.cwd(), module.units, planned)


@contextmanager
def _stack(
    manifest: ServiceManifest, cloud: str, env: str, part: str
) -> Iterator[tuple[ModuleType, StackConfig, Callable[..., tuple[PlannedResource, ...]]]]:
    """A cloud's module, the stack's config and its program; a mistake in any of them is AccountError."""
    root, stack = Path.cwd(), f"{env}-{cloud}"
    try:
        config = program.stack_config(root, stack, manifest)
        module = importlib.import_module(f"twofold.deploy.{cloud}.{part}")

        def planned(
            outputs_of: program.Outputs | None = None, *, config: StackConfig = config
        ) -> tuple[PlannedResource, ...]:
            return program.planned(manifest, config, root, stack, outputs_of)

        yield module, config, planned
    except (ConfigError, PackageError) as exc:
        raise AccountError(str(exc)) from exc
