"""`pulumi up`: the stack's config picks the cloud, its module deploys, the outputs are the same on each."""

import importlib
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
# Pulumi puts this folder first on the path, where azure.py would hide the SDK's `azure`; what counts is the folder above.
sys.path[:] = [str(ROOT), *(path for path in sys.path if Path(path or ".").resolve() != ROOT / "stacks")]

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env

from api.manifest import SERVICE
from twofold.deploy import issuer
from twofold.deploy.config import ConfigError, parse
from twofold.deploy.living import guarded, identity, refuse_moves
from twofold.deploy.package import PackageError


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


if __name__ == "__main__":
    main()
