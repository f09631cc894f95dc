"""Where people read: what they asked for, and what is told meanwhile."""

from rich.console import Console

console = Console()
aside = Console(stderr=True, highlight=False)
"""Standard error: what is on standard output may be JSON."""
