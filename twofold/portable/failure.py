"""What a failure tells an operator: its reason in a line, and where in the code it was raised."""

import sys
import traceback
from pathlib import Path

MAX_FRAMES = 12


def reason(exc: BaseException) -> str:
    """`ValueError: no`; the class alone where that is all that is known."""
    name, text = type(exc).__name__, str(exc).strip()
    return f"{name}: {text}" if text else name


def frames(exc: BaseException) -> str | None:
    """Where it was raised, the innermost line last: file, line and function, and nothing of what they work with.

    Files are named from the folder that they are imported from; None for what was never raised.
    """
    stack = traceback.extract_tb(exc.__traceback__)[-MAX_FRAMES:]
    return "\n".join(f"{_short(one.filename)}, line {one.lineno}, in {one.name}" for one in stack) or None


def _short(file: str) -> str:
    folders = sorted((folder for folder in sys.path if folder), key=len, reverse=True)
    return next((str(Path(file).relative_to(one)) for one in folders if Path(file).is_relative_to(one)), file)
