"""`twofold parity`: what is promised in each place, and by which tests it was proved when this kit was built."""

import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from rich.table import Table

from twofold.cli.console import console
from twofold.errors import TwofoldError

HOMES = {"local": "local", "azure": "Azure", "aws": "AWS"}
MARKS = {"proved": "[green]✓[/]", "absent": "–", "open": "[yellow]not yet[/]", "failed": "[red]✗[/]"}


def read() -> list[dict[str, Any]]:
    """The matrix, by groups."""
    resource = files("twofold.cli").joinpath("parity.json")
    if not resource.is_file():
        raise TwofoldError("there is no parity matrix yet; in the kit's repository run: make test parity")
    groups: list[dict[str, Any]] = json.loads(resource.read_text(encoding="utf-8"))
    return groups


def show(groups: Sequence[Mapping[str, Any]], *, tests: bool) -> None:
    """Prints what `read` returned, with the tests that prove each cell when they are asked for."""
    notes: list[str] = []
    for group in groups:
        table = Table(group["group"], *HOMES.values(), title_justify="left", expand=False)
        for row in group["rows"]:
            table.add_row(row["what"], *(_cell(row[home], notes, tests) for home in HOMES))
        console.print(table)
    for number, note in enumerate(notes, 1):
        console.print(f"{number}. {note}", highlight=False)


def _cell(cell: dict[str, Any], notes: list[str], tests: bool) -> str:
    mark = MARKS[cell["status"]]
    if reason := cell.get("reason"):
        if reason not in notes:
            notes.append(reason)
        return f"{mark} {notes.index(reason) + 1}"
    return "\n".join([mark, *(test.replace("[", r"\[") for test in cell["tests"])]) if tests else mark
