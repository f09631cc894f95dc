"""Azure Monitor: measurements are added up by OpenTelemetry's SDK and sent to Application Insights once a minute, keyless.

By the exporter of azure-monitor-opentelemetry. Importing both takes longer than all the rest of a start, so a thread does it, at
the first measurement; what is measured meanwhile waits.
"""

import os
import threading
from collections import deque
from collections.abc import Mapping
from typing import Any

from twofold.azure.insights import CONNECTION, QUIET
from twofold.errors import SettingsError
from twofold.portable.metrics import MEASURES, Measure

INTERVAL_SECONDS, CLOSE_SECONDS, WAITING = 60, 2, 10_000


def from_url(
    url: str, *, service: str, environment: str, unit: str, environ: Mapping[str, str] = os.environ, **options: Any
) -> "AzureMonitorMetrics":
    """The sink of `azuremonitor:`; `options` are the SDK exporter's. Raises SettingsError without a connection string."""
    if not environ.get(CONNECTION):
        raise SettingsError([f"{CONNECTION} is missing: TWOFOLD_METRICS_URL is {url!r}, and it says where that is"])
    resource = {"service.name": service, "deployment.environment.name": environment, "twofold.unit": unit}
    return AzureMonitorMetrics(environ[CONNECTION], resource, options)


class AzureMonitorMetrics:
    """See `Sink`. Of what waits for the SDK, the latest `WAITING` are kept."""

    def __init__(self, connection: str, resource: Mapping[str, str], options: Mapping[str, Any]) -> None:
        self._connection, self._resource, self._options = connection, dict(resource), options
        self._waiting: deque[tuple[Measure, float, dict[str, str]]] = deque(maxlen=WAITING)
        self._instruments: dict[str, Any] | None = None
        self._provider: Any = None
        self._thread: threading.Thread | None = None

    def record(self, measure: Measure, value: float, labels: Mapping[str, str]) -> None:
        """See `Sink`."""
        if self._instruments is not None and not self._waiting:
            _record(self._instruments[measure.name], measure, value, labels)
            return
        self._waiting.append((measure, value, dict(labels)))
        if self._thread is None:
            self._thread = threading.Thread(target=self._begin, name="twofold-metrics", daemon=True)
            self._thread.start()
        elif self._instruments is not None:
            self._drain()

    def flush(self) -> None:
        """Nothing: a worker of the Functions host lives on, and a thread sends."""

    def close(self) -> None:
        """See `Sink`."""
        if self._thread is not None:
            self._thread.join(CLOSE_SECONDS)
        if self._instruments is not None:
            self._drain()
            self._provider.shutdown(CLOSE_SECONDS * 1000)

    def _drain(self) -> None:
        assert self._instruments is not None
        while self._waiting:
            measure, value, labels = self._waiting.popleft()
            _record(self._instruments[measure.name], measure, value, labels)

    def _begin(self) -> None:
        for name, value in QUIET.items():
            os.environ.setdefault(name, value)
        from azure.identity import DefaultAzureCredential
        from azure.monitor.opentelemetry.exporter import AzureMonitorMetricExporter
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
        from opentelemetry.sdk.resources import Resource

        settings = {"credential": DefaultAzureCredential(exclude_interactive_browser_credential=True), **self._options}
        exporter = AzureMonitorMetricExporter(
            connection_string=self._connection, disable_offline_storage=True, timeout=2, read_timeout=5, **settings
        )
        reader = PeriodicExportingMetricReader(exporter, export_interval_millis=INTERVAL_SECONDS * 1000)
        self._provider = MeterProvider([reader], resource=Resource.create(self._resource))
        meter = self._provider.get_meter("twofold")
        make = {"histogram": meter.create_histogram, "counter": meter.create_counter, "gauge": meter.create_gauge}
        self._instruments = {
            measure.name: make[measure.kind](_own(measure.name), measure.unit, measure.description)
            for measure in MEASURES
        }


def _own(name: str) -> str:
    """OpenTelemetry's HTTP metrics the exporter makes into standard metrics of Application Insights, which know no route."""
    return f"twofold.{name}" if name.startswith("http.") else name


def _record(instrument: Any, measure: Measure, value: float, labels: Mapping[str, str]) -> None:
    match measure.kind:
        case "histogram":
            instrument.record(value, labels)
        case "counter":
            instrument.add(value, labels)
        case "gauge":
            instrument.set(value, labels)
