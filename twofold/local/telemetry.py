"""Traces to a terminal, or to any OpenTelemetry collector."""

import sys
from urllib.parse import urlsplit

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SpanExporter

from twofold.portable.otlp import OtlpExporter


def from_url(url: str) -> SpanExporter:
    """The exporter of `console:`, `otlp://<host>:4318` or `otlp+https://<host>`; a path before `/v1/traces` may follow."""
    parts = urlsplit(url)
    if parts.scheme == "console":
        return ConsoleSpanExporter(out=sys.stderr, formatter=_line)
    scheme = "https" if parts.scheme == "otlp+https" else "http"
    return OtlpExporter(f"{scheme}://{parts.netloc}{parts.path.rstrip('/')}/v1/traces")


def _line(span: ReadableSpan) -> str:
    context, parent = span.get_span_context(), span.parent
    assert context is not None
    took = ((span.end_time or 0) - (span.start_time or 0)) / 1e6
    below = f"{parent.span_id:016x}" if parent else "-" * 16
    return f"trace {context.trace_id:032x} {below} > {context.span_id:016x} {took:8.1f} ms  {span.name}\n"
