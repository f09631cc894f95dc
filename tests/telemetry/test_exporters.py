"""Each exporter against what it talks to: a real OpenTelemetry Collector; X-Ray's signature; Application Insights' ingestion."""

import gzip
import json
import re
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from azure.core.credentials import AccessToken

from api.manifest import SERVICE
from tests.emulators.tool import needing
from tests.integration.tokens import bearer
from tests.telemetry.recorded import CALLER, TRACE, play
from tools import otelcol
from twofold.aws import telemetry as aws
from twofold.azure import telemetry as azure
from twofold.emulators.process import free_port, serving
from twofold.emulators.tls import certificate
from twofold.errors import SettingsError
from twofold.portable.telemetry import CLIENT, SERVER, span
from twofold.portable.tracing import Tracing
from twofold.runtime import Runtime

SPAN = re.compile(
    r"Trace ID +: (?P<trace>\w+)\s+Parent ID +: (?P<parent>\w*)\s+ID +: (?P<id>\w+)\s+Name +: (?P<name>.*)\s+Kind +: (?P<kind>\w+)"
)


async def test_a_real_collector_gets_an_order_through_every_hop(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    bearer(tmp_path)
    port, log = free_port(), tmp_path / "collector.log"
    command = [
        "sh",
        "-c",
        'log=$1; shift; exec "$@" > "$log" 2>&1',
        "sh",
        str(log),
        *needing(lambda: otelcol.command(port)),
    ]
    with serving(command, port):
        runtime = Runtime(SERVICE, root=tmp_path, environ={"TWOFOLD_TELEMETRY_URL": f"otlp://127.0.0.1:{port}"})
        await play(runtime, tmp_path)
        await runtime.stop()
    spans = [match.groupdict() for match in SPAN.finditer(log.read_text())]
    assert len(spans) > 40 and {one["trace"] for one in spans} == {TRACE}
    assert {one["parent"] for one in spans} <= {one["id"] for one in spans} | {CALLER}
    kinds = {one["name"].strip(): one["kind"] for one in spans}
    assert (
        kinds["POST /orders"] == "Server"
        and kinds["process payments"] == "Consumer"
        and kinds["commit events"] == "Client"
    )
    assert "service.name: Str(orders)" in log.read_text()


class Received:
    """An HTTP server on loopback that keeps what it is sent; over TLS with a certificate."""

    def __init__(self, certificate=None):
        self.requests, kept = [], self

        class Handler(BaseHTTPRequestHandler):
            disable_nagle_algorithm = True

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                kept.requests.append((self.path, dict(self.headers.items()), body))
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def received():
    collector = Received()
    yield collector
    collector.server.shutdown()
    collector.server.server_close()


def test_x_ray_gets_signed_otlp(received, monkeypatch):
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    for name, value in (("ACCESS_KEY_ID", "AKID"), ("SECRET_ACCESS_KEY", "secret"), ("SESSION_TOKEN", "session")):
        monkeypatch.setenv(f"AWS_{name}", value)
    tracing = Tracing(aws.from_url(f"xray://eu-central-1?endpoint={received.url}"), resource={"service.name": "orders"})
    with tracing.entry("GET /", SERVER, f"00-{TRACE}-{CALLER}-01", {"n": 1, "f": 0.5, "b": True}):
        for number in range(10):
            with span(f"call {number}", CLIENT):
                pass
    tracing.close()
    [(path, headers, body)] = received.requests
    assert path == "/v1/traces" and headers["X-Amz-Security-Token"] == "session"
    assert f"Credential=AKID/{headers['X-Amz-Date'][:8]}/eu-central-1/xray/aws4_request" in headers["Authorization"]
    signer = SigV4Auth(Credentials("AKID", "secret", "session"), "xray", "eu-central-1")
    signed = {"content-type", "content-encoding", "x-amz-date", "x-amz-security-token"}
    repeated = AWSRequest(
        "POST", f"{received.url}{path}", data=body, headers={k: v for k, v in headers.items() if k.lower() in signed}
    )
    repeated.context["timestamp"] = headers["X-Amz-Date"]
    signature = signer.signature(signer.string_to_sign(repeated, signer.canonical_request(repeated)), repeated)
    assert headers["Authorization"].endswith(f"Signature={signature}")
    [resource] = json.loads(gzip.decompress(body))["resourceSpans"]
    entry = resource["scopeSpans"][0]["spans"][-1]
    assert (entry["traceId"], entry["parentSpanId"], entry["kind"]) == (TRACE, CALLER, 2)
    assert [one["value"] for one in entry["attributes"]] == [
        {"intValue": "1"},
        {"doubleValue": 0.5},
        {"boolValue": True},
    ]


class Login:
    """A credential of azure-identity's kind."""

    def get_token(self, *scopes, **options):
        self.scopes = scopes
        return AccessToken("planted-token", int(time.time()) + 3600)


def test_application_insights_gets_requests_and_dependencies_without_a_key(tmp_path):
    ingestion, login = Received(certificate(tmp_path)), Login()
    connection = f"InstrumentationKey=00000000-0000-0000-0000-000000000001;IngestionEndpoint={ingestion.url}/"
    exporter = azure.from_url(
        "azuremonitor:", {azure.CONNECTION: connection}, credential=login, connection_verify=False
    )
    tracing = Tracing(exporter, resource={"service.name": "orders"})
    with (
        tracing.entry(
            "GET /orders", SERVER, f"00-{TRACE}-{CALLER}-01", {"http.request.method": "GET", "url.path": "/orders"}
        ),
        span("query documents", CLIENT, {"db.system.name": "azure.cosmosdb"}),
    ):
        pass
    tracing._queue.flush(60)  # the import takes its time
    tracing.close()
    ingestion.server.shutdown()
    ingestion.server.server_close()
    [(path, headers, body)] = ingestion.requests
    assert path.startswith("/v2.1/track") and headers["Authorization"] == "Bearer planted-token"
    assert login.scopes == ("https://monitor.azure.com//.default",)
    body = gzip.decompress(body) if headers.get("Content-Encoding") == "gzip" else body
    dependency, request = json.loads(body)
    assert {item["tags"]["ai.operation.id"] for item in (request, dependency)} == {TRACE}
    assert request["data"]["baseType"] == "RequestData" and request["tags"]["ai.operation.parentId"] == CALLER
    assert dependency["data"]["baseType"] == "RemoteDependencyData"
    assert dependency["tags"]["ai.operation.parentId"] == request["data"]["baseData"]["id"]


def test_application_insights_needs_to_be_told_where():
    with pytest.raises(SettingsError, match="APPLICATIONINSIGHTS_CONNECTION_STRING is missing"):
        azure.from_url("azuremonitor:", {})
