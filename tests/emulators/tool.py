"""Tools that a test needs."""

import os
from collections.abc import Callable

import pytest

from twofold.emulators.cache import MissingTool


def needing[T](tool: Callable[[], T]) -> T:
    """What `tool` returns. On a user's machine a missing tool skips the test and says what is missing; in CI it fails."""
    try:
        return tool()
    except MissingTool as exc:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(exc))
