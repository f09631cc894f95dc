"""A collector that refuses, hangs, fails or is slow: requests are answered all the same, and only spans are lost."""

import threading
import time

import httpx
import pytest
from fastapi import FastAPI
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from tests.telemetry.collector import collector
from twofold import ServiceManifest
from twofold.aws.door import FLUSH_SECONDS
from twofold.bootstrap import bootstrap
from twofold.http.pipeline import wrap
from twofold.local.telemetry import from_url as exporter_of
from twofold.portable import span_queue
from twofold.portable import tracing as tracing_module
from twofold.portable.telemetry import SERVER
from twofold.portable.tracing import Tracing
from twofold.settings import Settings

REQUESTS, ROUNDS = 100, 3
DOWN = ("refuses", "hangs", "fails", "slow")


class Healthy(SpanExporter):
    def export(self, spans):
        return SpanExportResult.SUCCESS


def application():
    app = FastAPI()

    @app.get("/things/{thing_id}")
    async def thing(thing_id: str):
        return {"id": thing_id}

    return app


def client(folder, exporter):
    manifest = ServiceManifest("t", app="x:y")
    tracing = Tracing(exporter, resource={"service.name": "t"})
    unlimited = {f"TWOFOLD_LIMIT_{kind}": "" for kind in ("READS", "WRITES", "ANONYMOUS")}
    services = bootstrap(Settings.load(unlimited, manifest, folder), manifest, telemetry=tracing)
    transport = httpx.ASGITransport(wrap(application(), services.settings, services))
    return tracing, httpx.AsyncClient(transport=transport, base_url="http://test")


async def work(client):
    """The seconds of the processor that the requests take in their own thread: others on the machine are not in it."""
    started = time.thread_time()
    for number in range(REQUESTS):
        assert (await client.get(f"/things/{number}")).status_code == 200
    return time.thread_time() - started


@pytest.mark.parametrize("how", DOWN)
async def test_requests_are_answered_at_the_same_rate(how, tmp_path, monkeypatch):
    monkeypatch.setattr(tracing_module, "CLOSE_SECONDS", 0.1)
    with collector(how) as url:
        well, healthy = client(tmp_path, Healthy())
        ill, down = client(tmp_path, exporter_of(url))
        await work(healthy), await work(down)  # both warm
        rounds = [(await work(healthy), await work(down)) for _ in range(ROUNDS)]
        assert min(second / first for first, second in rounds) < 1.5
        ill.flush(FLUSH_SECONDS)  # which waits no longer, else never with a collector that hangs
        ill.close(), well.close()


@pytest.mark.parametrize("how", DOWN)
def test_a_lambda_waits_three_times_and_then_no_more(how, monkeypatch):
    with collector(how) as url:
        tracing, waits, mine = Tracing(exporter_of(url), resource={}), [], threading.current_thread()
        wait_for = tracing._queue._changed.wait_for

        def waiting(what, seconds=None):
            if threading.current_thread() is mine:
                waits.append(seconds)
            return wait_for(what, seconds)

        monkeypatch.setattr(tracing._queue._changed, "wait_for", waiting)
        for _ in range(6):
            with tracing.entry("GET /", SERVER, None, {}):
                pass
            tracing.flush(0.05)
        assert 1 <= len(waits) <= 3 and set(waits) == {0.05} and tracing._queue.lost >= 3


def test_what_waits_is_bounded(monkeypatch):
    monkeypatch.setattr(span_queue, "EXPORT_SECONDS", 60.0)
    monkeypatch.setattr(span_queue, "BATCH", 10**9)
    tracing = Tracing(Healthy(), resource={})
    for _ in range(span_queue.MAX_WAITING + 100):
        with tracing.entry("GET /", SERVER, None, {}):
            pass
    assert (len(tracing._queue._waiting), tracing._queue.lost) == (span_queue.MAX_WAITING, 100)


def test_a_collector_that_is_back_is_used_again():
    now, exported = [0.0], []

    class Flaky(SpanExporter):
        def export(self, spans):
            exported.append(len(spans))
            return SpanExportResult.FAILURE if now[0] < 10 else SpanExportResult.SUCCESS

    queue = span_queue.SpanQueue(Flaky(), clock=lambda: now[0])
    for _ in range(5):
        queue.on_end(object())
        queue.flush(5)
    assert (exported, queue.lost) == ([1, 1, 1], 5)
    now[0] = span_queue.PAUSE_SECONDS + 1
    queue.on_end(object())
    assert queue.flush(5) and (exported, queue.lost) == ([1, 1, 1, 1], 5)
    queue.shutdown()
