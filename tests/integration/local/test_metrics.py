"""`/metrics` of a service as a user runs it, and `make observe`: a real Prometheus that scrapes it."""

import json
import os
import signal
import subprocess
import sys
import time

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.manifest import SERVICE
from tests.copies.copy import ROOT
from tests.emulators.tool import needing
from tests.integration.doors import UNLIMITED
from tests.integration.local.service import Service
from tests.integration.tokens import bearer
from tests.integration.walk import walk
from tools import prometheus
from twofold.deploy.alarms import consumers
from twofold.emulators.process import free_port


@pytest.fixture
def service(tmp_path):
    running = Service(tmp_path, TWOFOLD_METRICS_URL="prometheus:", **UNLIMITED)
    yield running
    running.kill()


def scraped(url):
    """Samples as {name: [(labels, value)]}."""
    answer = httpx.get(f"{url}/metrics")
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/plain")
    series = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            series.setdefault(sample.name, []).append((sample.labels, sample.value))
    return series


def test_an_order_is_measured_over_every_hop(service):
    with httpx.Client(base_url=service.url, headers=bearer(service.folder), timeout=20) as client:
        walk(client, lambda: time.sleep(0.05))
    series = scraped(service.url)
    requests = {
        (each["method"], each["route"], each["status"])
        for each, _ in series["http_server_request_duration_seconds_count"]
    }
    assert {
        ("POST", "/orders", "201"),
        ("GET", "/orders/{order_id}", "200"),
        ("GET", "/orders/{order_id}", "404"),
    } <= requests
    assert not any("/health" in route for _, route, _ in requests)
    readers = {each["consumer"] for each, _ in series["twofold_consumer_lag_seconds_count"]}
    assert readers == set(consumers(SERVICE))  # as the alarms name them
    [(queue, attempts)] = series["messaging_process_duration_seconds_count"]
    assert queue == {"queue": "payments", "outcome": "success"} and attempts == 1
    assert series["twofold_queue_depth"] == [({"queue": "payments"}, 0)]
    assert series["twofold_dead_letters_waiting"] == [({"queue": "payments"}, 0)]
    calls = {each["dependency"]: each["outcome"] for each, _ in series["http_client_request_duration_seconds_count"]}
    assert calls == {"payments": "success"}
    [(_, starts)] = series["twofold_start_duration_seconds_count"]
    assert starts == 1


def test_without_the_setting_there_is_no_such_page(tmp_path):
    running = Service(tmp_path)
    try:
        assert httpx.get(f"{running.url}/metrics").status_code == 404
    finally:
        running.kill()


def test_observe_graphs_the_service(tmp_path):
    needing(prometheus.find)
    port, graphs = free_port(), free_port()
    (tmp_path / "api").symlink_to(ROOT / "api")
    command = [sys.executable, ROOT / "tools/observe.py", "--port", str(port), "--prometheus-port", str(graphs)]
    command += ["--data", str(tmp_path / "prometheus")]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True, env=os.environ | UNLIMITED)
    try:
        lines = [process.stdout.readline() for _ in range(8)]
        [alerts] = [line.split()[1] for line in lines if line.startswith("alerts")]
        page = httpx.get(alerts)
        assert page.status_code == 200 and f"127.0.0.1:{graphs}" in alerts
        httpx.get(f"http://127.0.0.1:{port}/orders/none", headers=bearer(tmp_path))

        def query(expression):
            answer = httpx.get(f"http://127.0.0.1:{graphs}/api/v1/query", params={"query": expression})
            return answer.json()["data"]["result"]

        deadline = time.monotonic() + 120
        while not query('http_server_request_duration_seconds_count{status="404"}'):
            assert time.monotonic() < deadline, "Prometheus has not seen the request"
            time.sleep(0.1)
        [up] = query("up")
        assert up["value"][1] == "1"
        rules = httpx.get(f"http://127.0.0.1:{graphs}/api/v1/rules").json()["data"]["groups"][0]["rules"]
        assert {rule["health"] for rule in rules} <= {"ok", "unknown"} and len(rules) == 9, json.dumps(rules)
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
