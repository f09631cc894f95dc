"""OTLP over HTTP, as JSON: what every OpenTelemetry collector takes, and X-Ray with a signature.

The official exporter would bring requests, protobuf and the compiled messages: for one POST. Encoding: OpenTelemetry Protocol
1.x, "JSON Protobuf Encoding" (ids in hexadecimal, 64-bit integers as texts).
"""

import gzip
import http.client
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

TIMEOUT_SECONDS = 5.0
GZIP_BYTES = 1024
type Sign = Callable[[str, Mapping[str, str], bytes], Mapping[str, str]]
"""`(url, headers, body) -> headers` that a request needs beside these."""


class OtlpExporter(SpanExporter):
    """POSTs to a collector's URL, on one kept connection, from the one thread that exports. It tries once: see `SpanQueue`."""

    def __init__(self, url: str, sign: Sign | None = None) -> None:
        self._url, self._sign = url, sign
        self._connection: http.client.HTTPConnection | None = None

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Whether the collector took them."""
        body, headers = encode(spans), {"Content-Type": "application/json"}
        if len(body) > GZIP_BYTES:
            body, headers["Content-Encoding"] = gzip.compress(body, 5), "gzip"
        if self._sign:
            headers = {**headers, **self._sign(self._url, headers, body)}
        try:
            status = self._post(body, headers)
        except (OSError, http.client.HTTPException):
            self.shutdown()
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS if 200 <= status < 300 else SpanExportResult.FAILURE

    def shutdown(self) -> None:
        """Closes the connection."""
        if self._connection is not None:
            self._connection.close()

    def _post(self, body: bytes, headers: Mapping[str, str]) -> int:
        parts = urlsplit(self._url)
        if self._connection is None:
            kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
            self._connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)
        self._connection.request("POST", parts.path, body, dict(headers))
        answer = self._connection.getresponse()
        answer.read()
        return answer.status


def encode(spans: Sequence[ReadableSpan]) -> bytes:
    """An ExportTraceServiceRequest; the spans are of one provider."""
    request = {
        "resourceSpans": [
            {
                "resource": {"attributes": _attributes(spans[0].resource.attributes)},
                "scopeSpans": [{"scope": {"name": "twofold"}, "spans": [_span(span) for span in spans]}],
            }
        ]
    }
    return json.dumps(request, separators=(",", ":")).encode()


def _span(span: ReadableSpan) -> dict[str, Any]:
    context = span.get_span_context()
    assert context is not None
    attributes: dict[str, Any] = {
        "traceId": f"{context.trace_id:032x}",
        "spanId": f"{context.span_id:016x}",
        "name": span.name,
        "kind": span.kind.value + 1,
        "startTimeUnixNano": str(span.start_time),
        "endTimeUnixNano": str(span.end_time),
        "attributes": _attributes(span.attributes or {}),
        "status": {"code": span.status.status_code.value},
        "flags": context.trace_flags,
    }
    return attributes | ({"parentSpanId": f"{span.parent.span_id:016x}"} if span.parent else {})


def _attributes(attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in attributes.items()]


def _value(value: Any) -> dict[str, Any]:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case _:
            return {"stringValue": str(value)}
