"""What a command looked at before it is needed: whether it is there, what was found, and the one command that helps."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Column, Table


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; `command` brings what is missing, empty when nothing is. What is not `needed` fails nothing."""

    what: str
    fine: bool
    found: str
    command: str = ""
    needed: bool = True


def show(checks: Sequence[Check], *, as_json: bool) -> bool:
    """Prints a table, or a JSON array of objects with the fields of Check; tells whether all that is needed is fine."""
    if as_json:
        print(json.dumps([asdict(check) for check in checks], indent=1))
    else:
        table = Table("", "what", "found", Column("do", overflow="fold"))  # whole, to be copied
        for check in checks:
            state = "ok" if check.fine else "missing" if check.needed else "optional"
            table.add_row(state, check.what, check.found, check.command)
        Console(soft_wrap=True).print(table)
    return all(check.fine or not check.needed for check in checks)
