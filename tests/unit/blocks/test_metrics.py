"""Metrics: the same measurements into each sink; Azure Monitor's by its real exporter, to a stand-in for its ingestion."""

import gzip
import json
import threading

import pytest
from azure.core.credentials import AccessTokenInfo
from prometheus_client.parser import text_string_to_metric_families

from twofold.aws.metrics import EmbeddedMetrics
from twofold.azure import metrics as azure
from twofold.emulators.server import Answer, FakeServer
from twofold.errors import SettingsError
from twofold.local.metrics import PrometheusSink
from twofold.portable import metrics
from twofold.portable.metrics import BREAKER, LAG, MEASURES, PARKED, REQUESTS, observe


@pytest.fixture
def listening():
    """Makes a sink the process' own, until the test ends."""
    yield metrics.use
    metrics.use(None)


def measure_some():
    for seconds, status in ((0.01, "200"), (0.02, "200"), (0.7, "503")):
        observe(REQUESTS, seconds, method="GET", route="/orders/{order_id}", status=status)
    observe(LAG, 12.0, consumer="orders")
    observe(PARKED, 1, consumer="orders")
    observe(BREAKER, 1, dependency="payments")


def test_without_a_sink_nothing_happens():
    metrics.use(None)
    measure_some()
    metrics.flush()
    assert metrics.sink() is None


def test_names_are_unique_and_every_measure_is_described():
    assert len({measure.name for measure in MEASURES}) == len(MEASURES) >= 12
    assert all(measure.description and measure.unit in ("s", "1") for measure in MEASURES)


def test_prometheus_is_told_in_its_own_names(listening):
    sink = PrometheusSink()
    listening(sink)
    measure_some()
    families = {family.name: family for family in text_string_to_metric_families(sink.text().decode())}
    requests = families["http_server_request_duration_seconds"]
    counts = {s.labels["status"]: s.value for s in requests.samples if s.name.endswith("_count")}
    assert counts == {"200": 2, "503": 1}
    assert families["twofold_parked"].samples[0].value == 1
    [breaker] = families["twofold_breaker_open"].samples
    assert (breaker.labels, breaker.value) == ({"dependency": "payments"}, 1)


DIMENSIONS = {"service": "orders", "environment": "dev", "unit": "http"}


def test_embedded_metrics_are_lines_that_cloudwatch_reads(listening):
    """The format's rules: targets exist in the root, at most 100 values, 100 metrics and 30 dimensions."""
    lines = []
    sink = EmbeddedMetrics(DIMENSIONS, lines.append, clock=lambda: 1_700_000_000.5)
    listening(sink)
    measure_some()
    assert lines == []
    metrics.flush()
    parsed = [json.loads(line) for line in lines]
    assert len(parsed) == 4  # a line for each set of labels: two statuses, the consumer, the dependency
    for line in parsed:
        assert line["_aws"]["Timestamp"] == 1_700_000_000_500
        for directive in line["_aws"]["CloudWatchMetrics"]:
            [metric], [dimensions] = directive["Metrics"], directive["Dimensions"]
            assert directive["Namespace"] == "Twofold"
            alarmed = metric["Name"] in ("twofold.consumer.lag", "twofold.parked")
            assert dimensions == ["service", "environment", "unit", *(["consumer"] if alarmed else [])]
            assert all(isinstance(line[dimension], str) for dimension in dimensions)
            values = line[metric["Name"]]
            assert metric["Unit"] in ("Seconds", "Count")
            assert isinstance(values, int | float) or 1 < len(values) <= 100
    fine = next(line for line in parsed if line.get("status") == "200")
    assert fine["http.server.request.duration"] == [0.01, 0.02] and fine["route"] == "/orders/{order_id}"
    metrics.flush()
    assert len(lines) == 4


def test_no_line_has_more_than_100_values(listening):
    lines = []
    listening(EmbeddedMetrics(DIMENSIONS, lines.append))
    for _ in range(250):
        observe(LAG, 1.0, consumer="orders")
    metrics.flush()
    sizes = [len(json.loads(line)["twofold.consumer.lag"]) for line in lines]
    assert sizes == [100, 100, 50]


class Credential:
    """The unit's identity."""

    def get_token(self, *scopes, **options):
        raise AssertionError("get_token_info is there")

    def get_token_info(self, *scopes, options=None):
        assert scopes == ("https://monitor.azure.com//.default",)
        return AccessTokenInfo("token", 2**32)


class Ingestion(FakeServer):
    """Application Insights' ingestion: takes envelopes with a token. Divergences: it keeps, samples and indexes nothing."""

    def __init__(self):
        self.envelopes = []
        super().__init__()

    def serve(self, method, path, raw_query, headers, body):
        assert (method, path.rstrip("/")) == ("POST", "/v2.1/track"), path
        assert headers["Authorization"] == "Bearer token"
        raw = gzip.decompress(body) if headers.get("Content-Encoding") == "gzip" else body
        taken = json.loads(raw)
        self.envelopes += taken
        return Answer(200, {"itemsReceived": len(taken), "itemsAccepted": len(taken), "errors": []})


def test_azure_monitor_gets_them_keyless(listening):
    with Ingestion() as ingestion:
        connection = (
            f"InstrumentationKey=00000000-0000-0000-0000-000000000001;IngestionEndpoint=https://{ingestion.host}/"
        )
        sink = azure.from_url(
            "azuremonitor:", service="orders", environment="dev", unit="http", environ={azure.CONNECTION: connection},
            credential=Credential(), connection_verify=False,
        )  # fmt: skip
        listening(sink)
        begin, go = sink._begin, threading.Event()
        sink._begin = lambda: go.wait(60) and begin()
        measure_some()
        assert sink._instruments is None and sink._waiting, "the SDK's import is not waited for"
        go.set()
        sink._thread.join()
        sink.close()
    measured = {}
    for envelope in ingestion.envelopes:
        if envelope["data"]["baseType"] == "MetricData":
            base = envelope["data"]["baseData"]
            for metric in base["metrics"]:
                measured.setdefault(metric["name"], []).append((metric, base["properties"], envelope["tags"]))
    requests = {
        properties["status"]: metric for metric, properties, _ in measured["twofold.http.server.request.duration"]
    }
    assert requests["200"]["count"] == 2 and requests["503"]["max"] == 0.7
    [(parked, properties, tags)] = measured["twofold.parked"]
    assert parked["value"] == 1 and properties == {"consumer": "orders"} and tags["ai.cloud.role"] == "orders"
    assert measured["twofold.breaker.open"][0][0]["value"] == 1


def test_azure_monitor_without_a_place_is_refused():
    with pytest.raises(SettingsError, match="APPLICATIONINSIGHTS_CONNECTION_STRING is missing"):
        azure.from_url("azuremonitor:", service="orders", environment="dev", unit="http", environ={})
