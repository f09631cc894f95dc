"""Traces kept in memory, and an order that goes through every hop of the service."""

import httpx
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.integration.tokens import bearer
from tests.integration.walk import ORDER
from twofold.portable.tracing import Tracing

TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{CALLER}-01"
HEADERS = {"traceparent": TRACEPARENT}


class Recorder:
    """An in-memory exporter and the telemetry over it."""

    def __init__(self):
        self.exporter = InMemorySpanExporter()
        self.telemetry = Tracing(self.exporter, resource={"service.name": "orders"})

    def spans(self):
        self.telemetry.flush(5)
        return self.exporter.get_finished_spans()


async def play(runtime, folder, headers=HEADERS):
    """Places an order, asks for payment, lets feed, queue and projection do their work; the order's id. Paid at the end."""
    transport = httpx.ASGITransport(runtime.asgi)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://test", headers=bearer(folder) | headers
    ) as client:
        placed = await client.post("/orders", json=ORDER, headers={"Idempotency-Key": "k-1"})
        assert placed.status_code == 201, placed.text
        order = placed.headers["location"]
        assert (await client.post(f"{order}/payment", json={})).status_code == 202
        stream = f"order-{order.rpartition('/')[2]}"
        await feed(runtime, stream)
        spec = runtime.manifest.queues[0]
        for delivery in await runtime.services.queue.receive(spec.name):
            assert await runtime.handle_delivery(spec, delivery)
        await feed(runtime, stream)
        assert (await client.get(order)).json()["status"] == "paid"
        page = await client.get("/customers/c-1/orders")
        assert [row["status"] for row in page.json()["orders"]] == ["paid"]
    return stream


async def feed(runtime, stream):
    events = runtime.services.documents.query_all("events", stream)
    await runtime.process_feed([document async for document in events])
