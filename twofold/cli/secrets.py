"""`twofold secret …`: the values of the manifest's secrets, set outside of any program, config or state."""

import sys

import typer
from rich.console import Console
from rich.table import Table

from twofold.bootstrap import Services
from twofold.errors import SecretNotFound, SecretsUnavailable, TwofoldError

console = Console()


class UnknownSecret(TwofoldError):
    """The manifest declares no secret of this name."""


async def set_value(services: Services, name: str) -> None:
    """Sets the value that is typed without echo, twice, or comes from standard input. A running service takes it up as
    `SecretStore` says. Raises `UnknownSecret`, `SecretsUnavailable`."""
    known = [spec.name for spec in services.manifest.secrets]
    if name not in known:
        raise UnknownSecret(f"the manifest has no secret {name!r}; it has {', '.join(known) or 'none'}")
    if sys.stdin.isatty():
        value = typer.prompt(f"value of {name}", hide_input=True, confirmation_prompt=True)
    else:
        value = sys.stdin.read().removesuffix("\n")
    await services.secrets.set(name, value)
    console.print(f"{name} is set")


async def show(services: Services) -> None:
    """Prints which of the manifest's secrets have a value, and none of the values."""
    table = Table("secret", "value", "what for")
    for spec in services.manifest.secrets:
        try:
            await services.secrets.get(spec.name)
            state = "set"
        except SecretNotFound:
            state = "missing"
        except SecretsUnavailable as exc:
            state = f"unknown: {exc}"
        table.add_row(spec.name, state, spec.description)
    console.print(table)
