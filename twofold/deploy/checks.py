"""What a command looked at before it is needed: whether it is there, what was found, and the one command that helps."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; `command` brings what is missing, empty when nothing is. What is not `needed` fails nothing."""

    what: str
    fine: bool
    found: str
    command: str = ""
    needed: bool = True
