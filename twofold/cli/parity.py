"""`twofold parity`: what is promised in each place, and by which tests it was proved when this kit was built."""

import json
from importlib.resources import files
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from twofold.errors import TwofoldError

HOMES = {"local": "local", "azure": "Azure", "aws": "AWS"}
MARKS = {"proved": "[green]✓[/]", "absent": "–", "open": "[yellow]not yet[/]", "failed": "[red]✗[/]"}


def show(*, tests: bool, as_json: bool) -> None:
    """Prints the matrix: as a table, with the tests that prove each cell, or as JSON."""
    resource = files("twofold.cli").joinpath("parity.json")
    if not resource.is_file():
        raise TwofoldError("there is no parity matrix yet; in the kit's repository run: make test parity")
    text = resource.read_text(encoding="utf-8")
    if as_json:
        typer.echo(text, nl=False)
        return
    console, notes = Console(), list[str]()
    for group in json.loads(text):
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
