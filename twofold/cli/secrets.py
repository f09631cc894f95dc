"""`twofold secret …`: the values of the manifest's secrets, set outside of any program, config or state."""

import sys
from collections.abc import Mapping, Sequence

import typer
from rich.table import Table

from twofold.bootstrap import Services
from twofold.cli.console import console
from twofold.errors import SecretError, SecretNotFound, TwofoldError
from twofold.manifest import ServiceManifest


class UnknownSecret(TwofoldError):
    """The manifest declares no secret of this name."""


def check(manifest: ServiceManifest, name: str) -> None:
    """Raises `UnknownSecret` for a name that the manifest does not have."""
    known = [spec.name for spec in manifest.secrets]
    if name not in known:
        raise UnknownSecret(f"the manifest has no secret {name!r}; it has {', '.join(known) or 'none'}")


async def set_value(services: Services, name: str) -> None:
    """Sets the value that is typed without echo, twice, or comes from standard input. A running service takes it up as
    `SecretStore` says. Raises `SecretError`."""
    if sys.stdin.isatty():
        value = typer.prompt(f"value of {name}", hide_input=True, confirmation_prompt=True, err=True)
    else:
        value = sys.stdin.read().removesuffix("\n")
    await services.secrets.set(name, value)


async def read(services: Services) -> list[dict[str, str | None]]:
    """Which of the manifest's secrets have a value, and none of the values."""
    states = []
    for spec in services.manifest.secrets:
        state, reason = "set", None
        try:
            await services.secrets.get(spec.name)
        except SecretNotFound:
            state = "missing"
        except SecretError as exc:
            state, reason = "unknown", str(exc)
        states.append({"name": spec.name, "state": state, "reason": reason, "description": spec.description})
    return states


def show(states: Sequence[Mapping[str, str | None]]) -> None:
    """Prints what `read` returned."""
    table = Table("secret", "value", "what for")
    for one in states:
        table.add_row(one["name"], ": ".join(filter(None, (one["state"], one["reason"]))), one["description"])
    console.print(table)
