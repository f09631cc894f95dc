"""The Functions door: one catch-all HTTP function, a Cosmos DB trigger for the feed,
a queue trigger per queue, a timer per schedule.

`TWOFOLD_ROLE` selects which of them an app has. All share one Runtime and the worker's event loop.
"""

import logging
import sys
from pathlib import Path
from typing import Any

import azure.functions as func

from twofold.azure.feed import documents_of
from twofold.azure.gateway import through_gateway
from twofold.azure.http_request import serve
from twofold.errors import HandlerError, SettingsError
from twofold.manifest import QueueSpec, ScheduleSpec, ServiceManifest, load
from twofold.portable.message_queue import Delivery
from twofold.runtime import Runtime

CONNECTION = "COSMOS"
"""The trigger's identity-based connection: `COSMOS__accountEndpoint`, `COSMOS__credential`, `COSMOS__clientId`."""
QUEUES = "QUEUES"
"""The queue triggers' connection, likewise: `QUEUES__queueServiceUri` …"""
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def function_app(manifest: ServiceManifest, *, root: Path) -> func.FunctionApp:
    """The functions of a service's unit. Wrong settings and handlers are told at once, each on a line, and end the process."""
    try:
        runtime = Runtime(manifest, root=root)
        if not runtime.embedded:  # a checkout's are looked at with the first request
            runtime.require_handlers()
    except (SettingsError, HandlerError) as exc:
        print(f"twofold: {exc}", file=sys.stderr, flush=True)
        sys.exit(1)
    logging.getLogger("twofold").setLevel(runtime.settings.log_level.upper())
    runtime.format_logs()  # the worker's handler sends what its formatter makes to the host
    return build(runtime)


def build(runtime: Runtime) -> func.FunctionApp:
    """The functions that the runtime's role names.

    A checkout on the embedded store has the HTTP function alone: feed, queues and schedules run in loops beside it, from the
    first request on, so that `func start` needs no storage account and no emulator.
    """
    # The adapter's default is a function key; the gateway is what closes the app.
    app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
    role = runtime.settings.role
    if role in ("all", "http"):
        _http(app, runtime)
    if runtime.embedded:
        return app
    if role in ("all", "feed") and runtime.manifest.reads_feed:
        _feed(app, runtime)
    for queue in runtime.manifest.queues:
        if role in ("all", queue.unit):
            _queue(app, runtime, queue)
    if role in ("all", "schedule"):
        for spec in runtime.manifest.schedules:
            _schedule(app, runtime, spec)
    return app


def _http(app: func.FunctionApp, runtime: Runtime) -> None:
    loops: Any = None
    application = through_gateway(runtime.asgi, runtime.settings.gateway_id)

    @app.function_name("http")
    @app.route(route="{*path}", methods=METHODS, auth_level=func.AuthLevel.ANONYMOUS)
    async def http(req: func.HttpRequest) -> func.HttpResponse:
        nonlocal loops
        if loops is None and runtime.embedded:
            loops = load("twofold.local.loops:Loops")(runtime)
            loops.start()
        return await serve(application, req)


def _feed(app: func.FunctionApp, runtime: Runtime) -> None:
    database = runtime.settings.store_url.rsplit("/", 1)[1].partition("?")[0]

    @app.function_name("feed")
    @app.cosmos_db_trigger(
        arg_name="documents",
        connection=CONNECTION,
        database_name=database,
        container_name="events",
        lease_container_name="leases",
        start_from_beginning=True,  # type: ignore[arg-type]  # annotated as a time, sent on as it is
        max_items_per_invocation=100,
    )
    # Without a policy the host moves the lease on after a failure and the batch is never delivered again.
    @app.retry(strategy="fixed_delay", max_retry_count="-1", delay_interval="00:00:05")
    async def feed(documents: func.DocumentList) -> None:
        await runtime.process_feed(documents_of(document.to_dict() for document in documents))


def _queue(app: func.FunctionApp, runtime: Runtime, spec: QueueSpec) -> None:
    prefix = runtime.settings.queue_url.rpartition("/")[2].partition("?")[0]

    @app.function_name(f"queue_{spec.name.replace('-', '_')}")
    @app.queue_trigger(arg_name="message", queue_name=f"{prefix}-{spec.name}", connection=QUEUES)
    async def work(message: func.QueueMessage) -> None:
        # Returning acknowledges; raising, when nothing could be settled, lets the host deliver again.
        await runtime.handle_delivery(spec, Delivery(spec.name, message.get_body().decode()))


def _schedule(app: func.FunctionApp, runtime: Runtime, spec: ScheduleSpec) -> None:
    @app.function_name(spec.name.replace("-", "_"))
    @app.timer_trigger(arg_name="timer", schedule=ncrontab(spec.every_minutes), run_on_startup=False)
    async def run(timer: func.TimerRequest) -> None:
        await runtime.run_schedule(spec.name)


def ncrontab(minutes: int) -> str:
    """A schedule of every so many minutes as the host's six-field expression."""
    return "0 0 * * * *" if minutes == 60 else f"0 */{minutes} * * * *"
