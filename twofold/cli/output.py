"""What a command found, for people or for a program. Progress, questions and mistakes go to standard error in either case."""

import contextlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="one JSON document on standard output, for a program")]


def tell[T](value: T, show: Callable[[T], object], *, as_json: bool) -> None:
    """Prints it as one JSON document, or lets `show` print it. Times in a document are seconds since the epoch."""
    if as_json:
        typer.echo(json.dumps(value, indent=1))
    else:
        show(value)


def acts(stack: str | None, *locations: str) -> None:
    """Tells on standard error what a command is about to work on: a stack's, or what is here."""
    place = f"on the stack {stack}" if stack else f"here, in {Path.cwd()}"
    typer.echo(f"acts {place}: {', '.join(dict.fromkeys(locations)) or 'nothing'}", err=True)


def confirm(question: str) -> None:
    """Asks on standard error, and ends the command with 1 unless the answer is yes."""
    with contextlib.redirect_stdout(sys.stderr):  # `err=True` leaves the question's last space to standard output
        typer.confirm(question, abort=True)
