"""The stack's config picks the cloud, its module deploys, the outputs are the same on each."""

import importlib
from pathlib import Path

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env

from api.manifest import SERVICE
from twofold.deploy import issuer
from twofold.deploy.config import ConfigError, parse
from twofold.deploy.package import PackageError
from twofold.deploy.protection import guarded, identity, refuse_moves

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Checks the config, then deploys; a mistake ends here with its message, before any resource."""
    try:
        config = parse({**get_config_env(), **CONFIG.get()}, pulumi.get_stack(), SERVICE)
        refuse_moves(SERVICE, config)
        issuer.verify(config)
        with guarded(config):
            outputs = importlib.import_module(f"stacks.{config.cloud}").deploy(SERVICE, config, ROOT)
    except (ConfigError, PackageError) as exc:
        raise pulumi.RunError(str(exc)) from None
    for name, value in {**identity(SERVICE, config), **outputs}.items():
        pulumi.export(name, value)
