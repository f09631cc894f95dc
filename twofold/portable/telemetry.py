"""Telemetry: one trace over every hop: request, store, queue, worker, feed, projection, outgoing call (W3C Trace Context).

What comes from outside (a request, a message, a commit, a timer) is an *entry*; what is done for it are spans within. The trace
travels in messages and commits as `traceparent`, also where nothing is recorded: log lines of all hops then have one trace id.
Recording is `twofold.portable.tracing`, which is loaded only where the settings name a place for traces.
"""

import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any

SERVER, CLIENT, PRODUCER, CONSUMER, INTERNAL = "SERVER", "CLIENT", "PRODUCER", "CONSUMER", "INTERNAL"
"""Kinds of spans, as OpenTelemetry names them."""
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?")

type Attributes = Mapping[str, str | int | float | bool]


class Span:
    """Something under way in a trace. This one is known by its ids alone; `twofold.portable.tracing` has one that is recorded."""

    __slots__ = ("id", "sampled", "trace_id")

    def __init__(self, trace_id: str, span_id: str, sampled: bool) -> None:
        self.trace_id, self.id, self.sampled = trace_id, span_id, sampled

    @property
    def traceparent(self) -> str:
        """What its children are told."""
        return f"00-{self.trace_id}-{self.id}-{'01' if self.sampled else '00'}"

    def rename(self, name: str) -> None:
        """Gives it the name that was not known when it began."""

    def set(self, attributes: Attributes) -> None:
        """Adds what is known only now."""

    def fail(self, error_type: str) -> None:
        """Marks it as failed, by a low-cardinality name: an exception's class or a status."""

    def child(self, name: str, kind: str, attributes: Attributes) -> AbstractContextManager["Span"]:
        """A span within this one."""
        return nullcontext(self)


_current: ContextVar[Span | None] = ContextVar("twofold-span", default=None)


class Telemetry:
    """Begins entries. This one records nothing and keeps the trace's ids only: about four microseconds an entry."""

    @contextmanager
    def entry(
        self, name: str, kind: str, parent: str | None, attributes: Attributes, *, record: bool = True
    ) -> Iterator[Span]:
        """An entry that continues the trace of `parent`, a traceparent; without one, or a bad one, it begins a trace.

        What escapes marks it as failed. `record=False` is for what nobody wants to see, like probes.
        """
        trace_id, _, sampled = parsed(parent) or (secrets.token_hex(16), "", False)
        with entered(Span(trace_id, secrets.token_hex(8), sampled)) as span:
            yield span

    def flush(self, seconds: float) -> None:
        """Hands over what was recorded, within so many seconds: before a Lambda freezes."""

    def close(self) -> None:
        """Hands over what was recorded, within two seconds, and ends."""


@contextmanager
def entered(span: Span) -> Iterator[Span]:
    """Makes a span the current one."""
    token = _current.set(span)
    try:
        yield span
    finally:
        _current.reset(token)


def current() -> Span | None:
    """The span under way; None outside of any entry."""
    return _current.get()


def traceparent() -> str | None:
    """What goes along with whatever leaves this process, so that its receiver continues the trace."""
    span = _current.get()
    return None if span is None else span.traceparent


def span(name: str, kind: str = INTERNAL, attributes: Attributes | None = None) -> AbstractContextManager[Any]:
    """A span within the one under way; outside of any entry nothing, so that no span is without its trace.

    with telemetry.span("quote shipping"):
        ...
    """
    parent = _current.get()
    return _NOTHING if parent is None else parent.child(name, kind, attributes or {})


def parsed(text: str | None) -> tuple[str, str, bool] | None:
    """A traceparent's trace id, parent id and whether it is sampled; None for what is no traceparent."""
    match = _TRACEPARENT.fullmatch(text) if text else None
    if match is None or ((text or "").startswith("00-") and len(text or "") != 55):
        return None
    return match[1], match[2], bool(int(match[3], 16) & 1)


OFF = Telemetry()
_NOTHING = nullcontext(Span("0" * 32, "0" * 16, False))
