"""A clock that stands still until it is moved."""


class Clock:
    """Callable like `time.time`; `advance` moves it, in seconds."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        """Moves the clock forward."""
        self.now += seconds
