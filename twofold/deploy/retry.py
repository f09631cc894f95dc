"""A cloud is eventually consistent: what was just made or allowed may be refused for minutes, so it is tried again."""

from collections.abc import Callable
from typing import NamedTuple

import tenacity


class Retry(NamedTuple):
    """For how many seconds something is tried again, and the pause between two tries."""

    seconds: float
    pause: float

    def call[Result](self, attempt: Callable[[], Result], on: type[Exception] | tuple[type[Exception], ...]) -> Result:
        """What `attempt` returns; it is called again when it raises `on`. Raises the last of these once the time is over."""
        return tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(on), stop=tenacity.stop_after_delay(self.seconds),
            wait=tenacity.wait_fixed(self.pause), reraise=True,
        )(attempt)  # fmt: skip
