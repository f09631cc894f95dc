"""Prometheus: measurements are kept in this process, and read from `/metrics` of a door that only loopback reaches."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics import MetricWrapperBase

from twofold.portable.metrics import MEASURES, Measure

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
"""Seconds: OpenTelemetry's for HTTP, and further ones for queues and feeds."""
CONTENT_TYPE = CONTENT_TYPE_LATEST


def from_url(url: str, **resource: str) -> "PrometheusSink":
    """The sink of `prometheus:`."""
    return PrometheusSink()


class PrometheusSink:
    """See `Sink`. `text()` is what a scrape gets."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._metrics: dict[str, MetricWrapperBase] = {
            measure.name: _metric(measure, self.registry) for measure in MEASURES
        }
        labels = ("queue",)
        self.depth = Gauge("twofold_queue_depth", "messages that wait", labels, registry=self.registry)
        self.dead = Gauge("twofold_dead_letters_waiting", "dead letters that wait", labels, registry=self.registry)

    def record(self, measure: Measure, value: float, labels: Mapping[str, str]) -> None:
        """See `Sink`."""
        metric = self._metrics[measure.name]
        child = metric.labels(**labels) if labels else metric
        if isinstance(child, Histogram):
            child.observe(value)
        elif isinstance(child, Counter):
            child.inc(value)
        elif isinstance(child, Gauge):
            child.set(value)

    def text(self) -> bytes:
        """Everything, in Prometheus' text format."""
        return generate_latest(self.registry)

    def flush(self) -> None:
        """Nothing: it is scraped."""

    def close(self) -> None:
        """Nothing: it is scraped."""


def _metric(measure: Measure, registry: CollectorRegistry) -> MetricWrapperBase:
    name = measure.name.replace(".", "_") + ("_seconds" if measure.unit == "s" else "")
    if measure.kind == "histogram":
        return Histogram(name, measure.description, measure.labels, registry=registry, buckets=BUCKETS)
    kind = Counter if measure.kind == "counter" else Gauge
    return kind(name, measure.description, measure.labels, registry=registry)
