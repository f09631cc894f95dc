"""The services of a deployed stack, seen from an operator's machine: its outputs say where, the operator's login lets in."""

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from twofold.bootstrap import Services, bootstrap
from twofold.cli import tools
from twofold.errors import TwofoldError
from twofold.manifest import ServiceManifest
from twofold.settings import LOCATIONS, PREFIX, Settings


class StackError(TwofoldError):
    """The stack's outputs can't be had."""


def open_services(manifest: ServiceManifest, cloud: str | None, environment: str, uses: Sequence[str]) -> Services:
    """The services of the stack `<environment>-<cloud>`; without a cloud, what the environment's settings say.

    A customer's environment is `<customer>-<environment>` here. `uses` are the locations that will be worked on: raises
    StackError when the stack does not tell all of them, since what it does not tell would be this folder's own.
    """
    environ = {key: value for key, value in os.environ.items() if key.startswith(PREFIX)}
    if cloud is not None:
        stack = f"{environment}-{cloud}"
        values = outputs(stack)
        if missing := [name for name in uses if not values.get(name)]:
            raise StackError(
                f"the stack {stack} tells no {', '.join(missing)}: it is not deployed yet, or without it; "
                f"run: pulumi up --stack {stack}"
            )
        environ |= {PREFIX + name.upper(): str(values[name]) for name in LOCATIONS if values.get(name)}
    return bootstrap(Settings.load(environ, manifest, Path.cwd()), manifest)


def outputs(stack: str) -> dict[str, object]:
    """What the stack exports, read by the Pulumi CLI. Raises StackError, and MissingProgram without it."""
    command = [tools.pulumi(), "stack", "output", "--json", "--stack", stack]
    result = subprocess.run(command, capture_output=True, text=True)  # noqa: S603 - our own arguments
    if result.returncode:
        raise StackError(f"pulumi has no outputs of the stack {stack}: {result.stderr.strip()[-500:]}")
    values: dict[str, object] = json.loads(result.stdout)
    return values
