"""Where tools are kept between runs, outside the tree; and how a missing one is told."""

import os
from pathlib import Path

from twofold.errors import TwofoldError

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "twofold"


class MissingTool(TwofoldError):
    """A tool can't be had on this machine; the message says which one and what it is for."""
