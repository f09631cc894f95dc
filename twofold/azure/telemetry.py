"""Traces to Application Insights, by the exporter of azure-monitor-opentelemetry: keyless, with the unit's identity.

Not by `configure_azure_monitor`, which brings every instrumentation there is. The exporter alone takes more to import than the
rest of the service, so it is imported in the exporting thread, when the first spans have ended.
"""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from twofold.azure.insights import CONNECTION, QUIET
from twofold.errors import SettingsError


def from_url(url: str, environ: Mapping[str, str] = os.environ, **options: Any) -> "AzureMonitorExporter":
    """The exporter of `azuremonitor:`; `options` are the SDK exporter's. Raises SettingsError without a connection string."""
    if not environ.get(CONNECTION):
        raise SettingsError([f"{CONNECTION} is missing: TWOFOLD_TELEMETRY_URL is {url!r}, and it says where that is"])
    return AzureMonitorExporter(environ[CONNECTION], options)


class AzureMonitorExporter(SpanExporter):
    """Makes the SDK's exporter at the first export. Nothing is kept on disk: what can't be sent is lost."""

    def __init__(self, connection: str, options: Mapping[str, Any]) -> None:
        self._connection, self._options = connection, options
        self._exporter: Any = None

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """See OpenTelemetry's SpanExporter."""
        if self._exporter is None:
            self._exporter = self._make()
        result: SpanExportResult = self._exporter.export(spans)
        return result

    def shutdown(self) -> None:
        """See OpenTelemetry's SpanExporter."""
        if self._exporter is not None:
            self._exporter.shutdown()

    def _make(self) -> Any:
        for name, value in QUIET.items():
            os.environ.setdefault(name, value)
        from azure.identity import DefaultAzureCredential
        from azure.monitor.opentelemetry.exporter import AzureMonitorTraceExporter

        options = dict(self._options)
        credential = options.pop("credential", None) or DefaultAzureCredential(
            exclude_interactive_browser_credential=True
        )
        return AzureMonitorTraceExporter(
            connection_string=self._connection,
            credential=credential,
            disable_offline_storage=True,
            timeout=2,  # to connect
            read_timeout=5,
            **options,
        )
