"""Where a service runs on this machine as in a cloud: what stands in for it, its process, and what is delivered to it."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from twofold.emulators.process import Server
from twofold.errors import TwofoldError
from twofold.manifest import ScheduleSpec

SERVED = ("twofold.http.pipeline", "twofold.http.health", "twofold.http.auth", "twofold.local.issuer_routes", "httpx")
"""What every served FastAPI application imports of the kit, and with it FastAPI; and what a worker calls others with."""

GRACE_SECONDS = 1.0
"""What a host gives the work in hand when it ends."""


class DeliveryFailed(TwofoldError):
    """The service did not take what was delivered, which comes again."""


class Host(Protocol):
    """The service's process or processes."""

    def start(self) -> None:
        """Starts it from the files as they are now; TwofoldError says why it does not."""

    def prepare(self) -> None:
        """Does ahead what the next start can have ahead."""

    def stop(self) -> None:
        """Ends it, after `GRACE_SECONDS` at most for what it has in hand; what was delivered and is not done comes again."""

    def show(self, failure: str) -> None:
        """Ends it, and answers each request with this until it is started again; one that waits, too."""

    @property
    def ended(self) -> bool:
        """Whether it has ended by itself."""


@dataclass(frozen=True, slots=True)
class Emulator:
    """A process that stands in for a part of the cloud. `restore` makes anew what the service wants to be there; `lost` says what
    else was there when it ended."""

    name: str
    server: Server
    restore: Callable[[], object]
    lost: str


@dataclass(frozen=True, slots=True)
class DevEnvironment:
    """A host that is not started yet; `parts` are (what for, what stands in); `environ` is what the service is told; each source
    delivers what is due, once, and returns how much that was."""

    url: str
    host: Host
    parts: Sequence[tuple[str, str]]
    environ: Mapping[str, str] = field(default_factory=dict)
    sources: Sequence[Callable[[], int]] = ()
    emulators: Sequence[Emulator] = ()


class Timer:
    """A schedule: due at each full period of the hour, UTC."""

    def __init__(self, spec: ScheduleSpec, run: Callable[[], object]) -> None:
        self._period, self._run = spec.every_minutes * 60, run
        self._due = self._next()

    def __call__(self) -> int:
        if time.time() < self._due:
            return 0
        self._due = self._next()  # the next run is the retry
        self._run()
        return 1

    def _next(self) -> float:
        now = time.time()
        return now - now % self._period + self._period


class Pumps:
    """A thread for each source, until `close`; they wait while `ready` says no. What fails is told once and tried again after a
    pause."""

    IDLE_SECONDS = 0.1

    def __init__(
        self, sources: Sequence[Callable[[], int]], tell: Callable[[str], object], ready: Callable[[], bool] = lambda: True
    ) -> None:  # fmt: skip
        self._ending, self._tell, self._ready = threading.Event(), tell, ready
        self._threads = [threading.Thread(target=self._run, args=(source,), daemon=True) for source in sources]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Ends the threads, each after the delivery that it has in hand."""
        self._ending.set()
        for thread in self._threads:
            thread.join(5)

    def _run(self, source: Callable[[], int]) -> None:
        last, pause = "", self.IDLE_SECONDS
        while not self._ending.is_set():
            try:
                if self._ready() and source():
                    last, pause = "", self.IDLE_SECONDS
                    continue
            except Exception as exc:  # an emulator that ends, or a service that does not start
                pause = min(2 * pause, 5.0)
                if (text := f"{type(exc).__name__}: {exc}") != last and self._ready() and not self._ending.is_set():
                    last = text
                    self._tell(text.splitlines()[0])
            self._ending.wait(pause)
