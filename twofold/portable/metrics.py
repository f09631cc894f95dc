"""Metrics: how many, how long, how often it fails, and what shows trouble early; the same names in every place.

`observe(REQUESTS, 0.012, method="GET", route="/orders/{order_id}", status="200")` tells whoever listens, and costs a look at a
variable when nobody does. Names are OpenTelemetry's where it has one; times are in seconds. Labels are few and bounded: a route is
a template, a queue or consumer one of the manifest's; no subject, id or path is ever a label.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

type Kind = Literal["histogram", "counter", "gauge"]


@dataclass(frozen=True, slots=True)
class Measure:
    """One metric: what is measured, in which unit (`s`, or `1` for a count), under which labels."""

    name: str
    kind: Kind
    unit: Literal["s", "1"]
    labels: tuple[str, ...]
    description: str


REQUESTS = Measure(
    "http.server.request.duration", "histogram", "s", ("method", "route", "status"), "requests, from first to last byte"
)
MESSAGES = Measure("messaging.process.duration", "histogram", "s", ("queue", "outcome"), "attempts at messages")
QUEUE_AGE = Measure("twofold.queue.age", "histogram", "s", ("queue",), "from a message's sending to an attempt at it")
DEAD_LETTERS = Measure("twofold.dead_letters", "counter", "1", ("queue",), "messages given up")
COMMITS = Measure(
    "twofold.consumer.duration", "histogram", "s", ("consumer", "outcome"), "commits handled by a consumer"
)
LAG = Measure(
    "twofold.consumer.lag", "histogram", "s", ("consumer",), "from an append to a consumer's having handled it"
)
PARKED = Measure("twofold.parked", "counter", "1", ("consumer",), "streams that a consumer parked")
SCHEDULES = Measure("twofold.schedule.duration", "histogram", "s", ("schedule", "outcome"), "scheduled runs")
THROTTLES = Measure(
    "twofold.store.throttles", "counter", "1", (), "calls that the store throttled, before they were retried"
)
CALLS = Measure("http.client.request.duration", "histogram", "s", ("dependency", "outcome"), "calls of other services")
BREAKER = Measure("twofold.breaker.open", "gauge", "1", ("dependency",), "1 while a breaker is open")
STARTS = Measure("twofold.start.duration", "histogram", "s", (), "cold starts: from the kit's import to the first work")

MEASURES = (
    REQUESTS, MESSAGES, QUEUE_AGE, DEAD_LETTERS, COMMITS, LAG, PARKED, SCHEDULES, THROTTLES, CALLS, BREAKER, STARTS,
)  # fmt: skip


class Sink(Protocol):
    """Where measurements go."""

    def record(self, measure: Measure, value: float, labels: Mapping[str, str]) -> None:
        """Takes one; called from the event loop, so it neither waits nor raises."""
        ...

    def flush(self) -> None:
        """Hands over what it has, without waiting for anybody: before a Lambda freezes."""
        ...

    def close(self) -> None:
        """Hands over what it has, within two seconds, and ends."""
        ...


_sink: Sink | None = None


def use(sink: Sink | None) -> None:
    """Makes `sink` what this process' measurements go to."""
    global _sink
    _sink = sink


def observe(measure: Measure, value: float, **labels: str) -> None:
    """Tells one measurement: of a histogram its value, of a counter by how much, of a gauge what it is now."""
    if _sink is not None:
        _sink.record(measure, value, labels)


def flush() -> None:
    """Hands over what was measured, where there is anybody who takes it."""
    if _sink is not None:
        _sink.flush()


def close() -> None:
    """Ends what takes measurements: nobody listens from now on."""
    global _sink
    sink, _sink = _sink, None
    if sink is not None:
        sink.close()


def sink() -> Sink | None:
    """What this process' measurements go to."""
    return _sink
