"""`/metrics`: served by the local door beside the application, not by it: no layer of the service sees the request."""

from twofold.http.lifespan import ASGIApp, Receive, Scope, Send
from twofold.local.metrics import CONTENT_TYPE, PrometheusSink
from twofold.portable import metrics
from twofold.portable.message_queue import dead_letter_name
from twofold.runtime import Runtime

PATH = "/metrics"


def with_metrics(runtime: Runtime) -> ASGIApp:
    """The service, and at `/metrics` what was measured; how many messages wait is asked at each scrape."""
    sink = metrics.sink()
    assert isinstance(sink, PrometheusSink)

    async def door(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != PATH:
            return await runtime.asgi(scope, receive, send)
        driver = runtime.services.queue.driver
        for spec in runtime.manifest.queues:
            sink.depth.labels(queue=spec.name).set(await driver.depth(spec.name))
            sink.dead.labels(queue=spec.name).set(await driver.depth(dead_letter_name(spec.name)))
        body = sink.text()
        headers = [(b"content-type", CONTENT_TYPE.encode()), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return door
