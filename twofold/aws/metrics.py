"""CloudWatch's embedded metric format: lines of the log that CloudWatch itself turns into metrics, so that no call is made.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
Each metric is one per service, environment and unit. Labels are properties of the line, which Logs Insights reads: as dimensions
each of their combinations would be a metric of its own, and be charged as one. Only what alarms tell apart is split (`SPLIT`).
"""

import json
import sys
import time
from collections.abc import Callable, Mapping

from twofold.portable.metrics import LAG, PARKED, Measure

NAMESPACE = "Twofold"
UNITS = {"s": "Seconds", "1": "Count"}
SPLIT = (LAG, PARKED)
MAX_VALUES = 100
"""Of a metric in one line."""


def from_url(url: str, *, service: str, environment: str, unit: str) -> "EmbeddedMetrics":
    """The sink of `emf:`, on standard output."""
    dimensions = {"service": service, "environment": environment, "unit": unit}
    return EmbeddedMetrics(dimensions, lambda line: print(line, file=sys.stdout, flush=True))


class EmbeddedMetrics:
    """See `Sink`. Writes when it is flushed, at the end of an invocation, or when a metric has as many values as a line takes."""

    def __init__(
        self, dimensions: Mapping[str, str], write: Callable[[str], object], clock: Callable[[], float] = time.time
    ) -> None:
        self._dimensions, self._write, self._clock = dict(dimensions), write, clock
        self._values: dict[tuple[tuple[str, str], ...], dict[Measure, list[float]]] = {}

    def record(self, measure: Measure, value: float, labels: Mapping[str, str]) -> None:
        """See `Sink`."""
        values = self._values.setdefault(tuple(labels.items()), {}).setdefault(measure, [])
        values.append(value)
        if len(values) >= MAX_VALUES:
            self.flush()

    def flush(self) -> None:
        """Writes a line for each set of labels."""
        taken, self._values = self._values, {}
        for labels, measured in taken.items():
            self._write(self._line(labels, measured))

    def close(self) -> None:
        """As `flush`."""
        self.flush()

    def _line(self, labels: tuple[tuple[str, str], ...], measured: Mapping[Measure, list[float]]) -> str:
        split = [*self._dimensions, *(name for name, _ in labels)]
        directives = [
            {
                "Namespace": NAMESPACE,
                "Dimensions": [split if measure in SPLIT else list(self._dimensions)],
                "Metrics": [{"Name": measure.name, "Unit": UNITS[measure.unit]}],
            }
            for measure in measured
        ]
        values = {measure.name: numbers[0] if len(numbers) == 1 else numbers for measure, numbers in measured.items()}
        head = {"_aws": {"Timestamp": int(self._clock() * 1000), "CloudWatchMetrics": directives}}
        return json.dumps({**head, **self._dimensions, **dict(labels), **values})
