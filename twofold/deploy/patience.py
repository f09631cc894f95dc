"""A cloud is eventually consistent: what was just made or allowed may be refused for minutes, so it is tried again."""

import time
from collections.abc import Callable
from typing import NamedTuple


class Patience(NamedTuple):
    """For how many seconds something is tried again, and the pause between two tries."""

    seconds: float
    pause: float

    def retry[Found](self, attempt: Callable[[], Found], again: type[Exception] | tuple[type[Exception], ...]) -> Found:
        """What `attempt` returns, made again when it raises `again`; raises the last of these once the time is over."""
        deadline = time.monotonic() + self.seconds
        while True:
            try:
                return attempt()
            except again:
                if time.monotonic() >= deadline:
                    raise
            time.sleep(self.pause)
