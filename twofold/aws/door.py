"""The Lambda door: HTTP through Mangum, stream records to the feed, schedules by name. One event loop per process.

Which event is which:

    requestContext            HTTP: API Gateway v2 and v1, ALB, function URL
    Records[].dynamodb        a DynamoDB stream's batch, answered with `batchItemFailures`
    Records[] from aws:sqs    a queue's batch, answered likewise
    {"twofold": {"schedule"}} EventBridge Scheduler
    {"twofold": {"health"}}   the deployer, before a version gets traffic; answered as `/health/ready` does
"""

import asyncio
import logging
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twofold.aws.feed import document_of, sequence_number
from twofold.errors import HandlerError, QueueUnavailable, SettingsError, StoreError
from twofold.manifest import ServiceManifest
from twofold.portable import metrics
from twofold.portable.message_queue import Delivery
from twofold.runtime import Runtime

log = logging.getLogger("twofold.lambda")
FLUSH_SECONDS = 0.2
# Mangum sends every other media type as base64, which a caller behind some integrations sees undecoded.
TEXT_TYPES = ["text/", "application/json", "application/problem+json", "application/javascript", "application/xml"]
_SPLIT = {"host": re.compile(r"[^:]*(:[0-9]{1,5})?"), "x-forwarded-port": re.compile("[0-9]{1,5}")}

type LambdaHandler = Callable[[dict[str, Any], Any], Any]


def lambda_handler(manifest: ServiceManifest, *, root: Path) -> LambdaHandler:
    """The handler of a service's units. Wrong settings and handlers are told at once, each on a line, and end the process."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", force=True)
    try:
        runtime = Runtime(manifest, root=root)
        if not runtime.embedded:  # a checkout's are looked at with the first request
            runtime.require_handlers()
    except (SettingsError, HandlerError) as exc:
        print(f"twofold: {exc}", file=sys.stderr, flush=True)
        sys.exit(1)
    logging.getLogger().setLevel(runtime.settings.log_level.upper())
    runtime.format_logs()
    logging.getLogger("mangum").setLevel(logging.WARNING)  # it has a line of its own for each request
    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
        from twofold.aws.snap_start import prepare

        prepare(manifest)
    return Door(runtime)


class Door:
    """Dispatches events; everything it needs is built at the first one and kept for the process's life."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._loop = asyncio.new_event_loop()
        self._http: Callable[[Any, Any], Any] | None = None

    def __call__(self, event: dict[str, Any], context: Any) -> Any:
        """Serves one event. Lambda freezes the process after it, so metrics and traces leave before, within `FLUSH_SECONDS`."""
        try:
            return self._dispatch(event, context)
        finally:
            metrics.flush()
            self._runtime.services.telemetry.flush(FLUSH_SECONDS)

    def _dispatch(self, event: dict[str, Any], context: Any) -> Any:
        asyncio.set_event_loop(self._loop)  # Mangum runs on the current loop
        if "requestContext" in event:
            answer = self._serve(event, context)
            self._loop.run_until_complete(self._runtime.drain())  # a checkout's feed and queues: Lambda has no loops
            return answer
        if records := event.get("Records"):
            work = self._queue if records[0].get("eventSource") == "aws:sqs" else self._feed
            return self._loop.run_until_complete(work(records))
        own = event.get("twofold", {})
        if "health" in own:
            return self._loop.run_until_complete(self._runtime.readiness())
        if (name := own.get("schedule")) is not None:
            return self._loop.run_until_complete(self._runtime.run_schedule(name))
        raise ValueError(f"an event of unknown kind, with the members {sorted(event)}")

    def _serve(self, event: dict[str, Any], context: Any) -> Any:
        if self._http is None:
            from mangum import Mangum  # only the unit that answers requests needs it

            self._http = Mangum(self._runtime.asgi, lifespan="off", text_mime_types=TEXT_TYPES)
        return self._http(_splittable(event), context)

    async def _queue(self, records: list[dict[str, Any]]) -> dict[str, Any]:
        async def one(record: dict[str, Any]) -> bool:
            spec = self._runtime.queue_named(record["eventSourceARN"].rpartition(":")[2])
            try:
                await self._runtime.handle_delivery(spec, Delivery(spec.name, record["body"]))
            except QueueUnavailable as exc:
                log.error("queue %s: %s could not be settled: %s", spec.name, record["messageId"], exc)
                return False
            return True

        settled = await asyncio.gather(*(one(record) for record in records))
        failed = [record["messageId"] for record, fine in zip(records, settled, strict=True) if not fine]
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}

    async def _feed(self, records: list[dict[str, Any]]) -> dict[str, Any]:
        documents = [document for record in records if (document := document_of(record)) is not None]
        try:
            await self._runtime.process_feed(documents)
        except StoreError as exc:
            # Checkpoints make a repetition of what succeeded harmless, so the whole batch comes again.
            log.error("the feed failed, its batch is delivered again: %s", exc)
            return {"batchItemFailures": [{"itemIdentifier": sequence_number(records[0])}]}
        return {"batchItemFailures": []}


def _splittable(event: dict[str, Any]) -> dict[str, Any]:
    """The event without a Host or port that Mangum would fail to split; nothing in the app depends on either."""
    for name, form in _SPLIT.items():
        for headers in (event.get("headers") or {}, event.get("multiValueHeaders") or {}):
            for key in [key for key in headers if key.lower() == name and not form.fullmatch("".join(headers[key]))]:
                del headers[key]
    return event
