"""What is watched, read from the manifest: the same alarms by the same names on both clouds, each with its section of the runbook.

The clouds' monitoring components say how each is measured there; `observe/rules.yml` has them for Prometheus.
"""

from dataclasses import dataclass
from typing import Literal

from twofold.manifest import ServiceManifest

RUNBOOK = "docs/runbook.md"
LEAST_REQUESTS = 20
"""Before a ratio counts: of one request that failed alone nobody wants to hear."""
ERROR_RATIO, P95_SECONDS, P99_SECONDS, AGE_SECONDS, LAG_SECONDS = 0.01, 1.0, 3.0, 300, 300

type Kind = Literal[
    "error-ratio", "latency-p95", "latency-p99", "throttles", "dependencies", "dead-letters", "queue-age", "lag", "parked",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Alarm:
    """On while what is measured over `minutes` is above `threshold` (seconds, a ratio, or a count).

    `subject` is the queue or consumer that it is about, empty for the service as a whole. `urgent` ones are for somebody's
    night: requests fail; the others can wait until the morning.
    """

    kind: Kind
    subject: str
    threshold: float
    minutes: int
    urgent: bool
    summary: str

    @property
    def name(self) -> str:
        """Unique within a stack: `error-ratio`, `queue-age-payments`."""
        return f"{self.kind}-{self.subject}" if self.subject else self.kind

    @property
    def text(self) -> str:
        """What somebody reads who is told: what it is, and where it says what to do."""
        return f"{self.summary} What to do: {RUNBOOK}#{self.kind}"


def alarms(manifest: ServiceManifest) -> tuple[Alarm, ...]:
    """Every alarm of a service: of its requests always, of its store, queues and consumers where it has them."""
    every = [
        Alarm("error-ratio", "", ERROR_RATIO, 5, True, "More than 1 % of the requests failed (5xx)."),
        Alarm("latency-p95", "", P95_SECONDS, 15, False, "One request in twenty took longer than a second."),
        Alarm("latency-p99", "", P99_SECONDS, 15, False, "One request in a hundred took longer than three seconds."),
        Alarm("dependencies", "", 0, 5, False, "Another service is down: the breaker before it has opened."),
    ]
    if manifest.blocks:
        every.append(Alarm("throttles", "", 0, 15, False, "The store throttles."))
    for spec in manifest.queues:
        every.append(
            Alarm("dead-letters", spec.name, 0, 5, False, f"{spec.name}: messages that no attempt could work off.")
        )
        every.append(
            Alarm("queue-age", spec.name, AGE_SECONDS, 10, False, f"{spec.name}: messages wait longer than 5 minutes.")
        )
    for name in consumers(manifest):
        every.append(Alarm("lag", name, LAG_SECONDS, 10, False, f"{name} is 5 minutes behind."))
        every.append(Alarm("parked", name, 0, 5, False, f"{name} has parked a stream."))
    return tuple(every)


def consumers(manifest: ServiceManifest) -> tuple[str, ...]:
    """Who is told of every commit: projections and feed consumers, by name."""
    return tuple(spec.name for spec in manifest.projections) + tuple(spec.name for spec in manifest.consumers)
