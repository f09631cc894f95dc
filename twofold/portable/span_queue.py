"""SpanQueue: ended spans on their way to an exporter. A collector that is down, hangs or is slow costs spans, never time.

OpenTelemetry's own BatchSpanProcessor has no bound on a flush (`force_flush` ignores its timeout) and tries a dead collector for
ever; a Lambda would wait for both at the end of each invocation.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

MAX_WAITING = 2048
"""So many ended spans wait at most; what comes beyond is lost."""
BATCH = 512
EXPORT_SECONDS = 1.0
"""How long an ended span waits for others, at most."""
FAILURES = 3
PAUSE_SECONDS = 30.0
"""For so long nothing is exported, nor waited for, after so many failures in a row."""
log = logging.getLogger("twofold.telemetry")


class SpanQueue(SpanProcessor):
    """Exports from a thread of its own. `lost` counts the spans that could not be exported.

    - `on_end` never blocks and never raises.
    - `flush` waits no longer than told; when it waited in vain, that counts as a failure of the exporter.
    - After three failures in a row everything is dropped for half a minute; then one batch is tried again.
    """

    def __init__(self, exporter: SpanExporter, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._exporter, self._clock = exporter, clock
        self._waiting: deque[ReadableSpan] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._busy = self._flushing = self._closed = False
        self._failures, self._paused_until = 0, 0.0
        self.lost = 0

    def on_end(self, span: ReadableSpan) -> None:
        """Takes an ended span in."""
        with self._changed:
            if self._closed or len(self._waiting) >= MAX_WAITING or self._paused():
                self.lost += 1
                return
            self._waiting.append(span)
            if self._thread is None:  # not before: a process may be forked, or a snapshot be taken, until then
                self._thread = threading.Thread(target=self._run, name="twofold-telemetry", daemon=True)
                self._thread.start()
            if len(self._waiting) == BATCH:
                self._changed.notify_all()

    def flush(self, seconds: float) -> bool:
        """Has what waits exported, in so many seconds at most; whether nothing is left to wait for."""
        with self._changed:
            if self._paused():
                return False
            self._flushing = True
            self._changed.notify_all()
            if not self._changed.wait_for(lambda: not self._waiting and not self._busy, seconds):
                self._failed()
                return False
            self._flushing = False
            return True

    def shutdown(self) -> None:
        """Ends the thread, after the batch that it has in hand."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._flushing or self._closed or len(self._waiting) >= BATCH, EXPORT_SECONDS
                )
                batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
                self._busy = bool(batch)
                if not batch:
                    self._flushing = False
                    self._changed.notify_all()
                    if self._closed:
                        break
                    self._changed.wait_for(lambda: self._flushing or self._closed or bool(self._waiting))
                    continue
            exported = self._export(batch)
            with self._changed:
                self._busy = False
                if exported:
                    self._failures = 0
                else:
                    self.lost += len(batch)
                    self._failed()
                self._changed.notify_all()
        self._exporter.shutdown()

    def _export(self, batch: list[ReadableSpan]) -> bool:
        try:
            return self._exporter.export(batch) is SpanExportResult.SUCCESS
        except Exception:  # an exporter's failure costs its spans and no more
            log.debug("an exporter of traces raised", exc_info=True)
            return False

    def _paused(self) -> bool:
        return self._clock() < self._paused_until

    def _failed(self) -> None:
        self._failures += 1
        if self._failures >= FAILURES and not self._paused():
            self._paused_until = self._clock() + PAUSE_SECONDS
            self.lost += len(self._waiting)
            self._waiting.clear()
            log.warning("traces can't be exported, they are dropped for %d s; %d spans lost", PAUSE_SECONDS, self.lost)
