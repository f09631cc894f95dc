"""What is saved under a service's folders, from the beginning on: also while nobody asks for it."""

import queue
import threading
from collections.abc import Iterable
from pathlib import Path

DEBOUNCE_MS = 50
"""A save is often several writes."""


class Changes:
    """Watches until `close`. It sees what is saved from its making on."""

    def __init__(self, folders: Iterable[Path]) -> None:
        from watchfiles import watch

        self._saved: queue.Queue[set[str]] = queue.Queue()
        self._ending = threading.Event()
        self._watcher = watch(
            *folders, debounce=DEBOUNCE_MS, step=10, rust_timeout=200, yield_on_timeout=True, stop_event=self._ending
        )
        next(self._watcher)  # from here on
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> bool:
        """Whether something was saved that nobody has asked for yet."""
        return not self._saved.empty()

    def next(self, seconds: float) -> set[str]:
        """The files that were saved together; empty when none was within these seconds."""
        try:
            return self._saved.get(timeout=seconds)
        except queue.Empty:
            return set()

    def close(self) -> None:
        """Ends it."""
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        for changes in self._watcher:
            if changes:
                self._saved.put({path for _, path in changes})
