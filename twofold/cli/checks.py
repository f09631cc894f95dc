"""What `twofold doctor` and `preflight` looked at: a table for people, and an exit code."""

from collections.abc import Sequence
from dataclasses import asdict

import typer
from rich.console import Console
from rich.table import Column, Table

from twofold.cli.output import tell
from twofold.deploy.checks import Check


def report(checks: Sequence[Check], *, as_json: bool, bad: str = "missing") -> None:
    """Tells each, with the fields of Check; ends the command with 1 when something that is needed is missing."""
    tell([asdict(check) for check in checks], lambda _: _show(checks, bad), as_json=as_json)
    if not all(check.fine or not check.needed for check in checks):
        raise typer.Exit(1)


def _show(checks: Sequence[Check], bad: str) -> None:
    table = Table("", "what", "found", Column("do", overflow="fold"))  # whole, to be copied
    for check in checks:
        state = "ok" if check.fine else bad if check.needed else "optional"
        table.add_row(state, check.what, check.found, check.command)
    Console(soft_wrap=True).print(table)
