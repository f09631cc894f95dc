"""Tracing: entries and spans recorded by OpenTelemetry's SDK, and exported beside the work, never in its way.

The SDK's provider is this object's own, not the process's global one: a service that sets up OpenTelemetry for itself keeps what it
has, and its spans join the trace, since ours are in OpenTelemetry's context too.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, cast

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from twofold.portable.span_queue import SpanQueue
from twofold.portable.telemetry import Attributes, Span, Telemetry, entered, parsed

CLOSE_SECONDS = 2.0


class Tracing(Telemetry):
    """Telemetry that is recorded and handed to an OpenTelemetry `SpanExporter`.

    An entry is sampled as its parent was; one that begins a trace with the probability `ratio`, decided by its trace id. What
    can't be exported is lost: see `SpanQueue`.
    """

    def __init__(self, exporter: SpanExporter, *, resource: Attributes, ratio: float = 1.0) -> None:
        self._queue = SpanQueue(exporter)
        provider = TracerProvider(
            ParentBased(TraceIdRatioBased(ratio)), Resource(resource), shutdown_on_exit=False
        )  # no detectors: they read entry points of all packages
        provider.add_span_processor(self._queue)
        self._tracer = provider.get_tracer("twofold")

    @contextmanager
    def entry(
        self, name: str, kind: str, parent: str | None, attributes: Attributes, *, record: bool = True
    ) -> Iterator[Span]:
        """See `Telemetry.entry`."""
        if not record:
            with super().entry(name, kind, parent, attributes) as unrecorded:
                yield unrecorded
            return
        context = None
        if (ids := parsed(parent)) is not None:
            trace_id, parent_id, sampled = ids
            remote = SpanContext(int(trace_id, 16), int(parent_id, 16), True, TraceFlags(sampled))
            context = trace.set_span_in_context(NonRecordingSpan(remote))
        started = self._tracer.start_span(name, context, SpanKind[kind], attributes)
        with _under_way(started, self._tracer) as span:
            yield span

    def flush(self, seconds: float) -> None:
        """See `Telemetry.flush`."""
        self._queue.flush(seconds)

    def close(self) -> None:
        """See `Telemetry.close`."""
        self._queue.flush(CLOSE_SECONDS)
        self._queue.shutdown()


class _Recorded(Span):
    __slots__ = ("_span", "_tracer")

    def __init__(self, span: trace.Span, tracer: trace.Tracer) -> None:
        context = span.get_span_context()
        super().__init__(f"{context.trace_id:032x}", f"{context.span_id:016x}", bool(context.trace_flags.sampled))
        self._span, self._tracer = span, tracer

    def rename(self, name: str) -> None:
        self._span.update_name(name)

    def set(self, attributes: Attributes) -> None:
        self._span.set_attributes(cast(Any, attributes))

    def fail(self, error_type: str) -> None:
        self._span.set_attribute("error.type", error_type)
        self._span.set_status(Status(StatusCode.ERROR))

    def child(self, name: str, kind: str, attributes: Attributes) -> AbstractContextManager[Span]:
        if not self.sampled:
            return super().child(name, kind, attributes)
        context = trace.set_span_in_context(self._span)
        return _under_way(self._tracer.start_span(name, context, SpanKind[kind], cast(Any, attributes)), self._tracer)


@contextmanager
def _under_way(started: trace.Span, tracer: trace.Tracer) -> Iterator[Span]:
    """The span as the current one, ours and OpenTelemetry's, until it ends. Of an exception only the class is kept."""
    span = _Recorded(started, tracer)
    with (
        trace.use_span(started, end_on_exit=True, record_exception=False, set_status_on_exception=False),
        entered(span),
    ):
        try:
            yield span
        except BaseException as exc:
            span.fail(type(exc).__qualname__)
            raise
