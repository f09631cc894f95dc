"""The local door: uvicorn on loopback, the loops beside it, one process."""

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from twofold.errors import TwofoldError
from twofold.http.lifespan import ASGIApp
from twofold.local.issuer import DevelopmentIssuer
from twofold.local.loops import Loops
from twofold.manifest import ServiceManifest
from twofold.runtime import Runtime

if TYPE_CHECKING:
    import uvicorn

HOST = "127.0.0.1"


class PortTaken(TwofoldError):
    """Something else listens on the port."""


def serve(manifest: ServiceManifest, *, root: Path, port: int, fd: int | None = None) -> None:
    """Serves until SIGINT or SIGTERM, then ends within 15 seconds with the work in hand finished or returned.

    Port 0 takes a free one; `fd` is a listening socket that the process inherits, whose owner announces it. Raises
    `PortTaken`, and `SettingsError` before anything starts.
    """
    asyncio.run(_serve(manifest, root, port, fd))


async def _serve(manifest: ServiceManifest, root: Path, port: int, fd: int | None) -> None:
    import uvicorn

    runtime = Runtime(manifest, root=root)
    level = getattr(logging, runtime.settings.log_level.upper())
    logging.basicConfig(level=level, stream=sys.stderr, format="%(message)s", force=True)
    runtime.format_logs()
    logging.getLogger("httpx").setLevel(logging.WARNING)
    config = uvicorn.Config(
        _with_metrics(runtime), host=HOST, port=port, lifespan="off", access_log=False, log_level="warning", interface="asgi3",
        server_header=False, proxy_headers=False, timeout_graceful_shutdown=5,
    )  # fmt: skip
    with _listener(config, fd) as listener:
        await runtime.start()
        loops = Loops(runtime) if runtime.embedded else None
        if loops:
            loops.start()
        try:
            if fd is None:
                announce(manifest, f"http://{HOST}:{listener.getsockname()[1]}", own=not runtime.settings.oidc_issuer)
            await _server(config).serve(sockets=[listener])
        finally:
            if loops:
                await loops.stop()
            await runtime.stop()


def _listener(config: "uvicorn.Config", fd: int | None) -> socket.socket:
    if fd is not None:
        return socket.socket(fileno=fd)
    try:
        listener = config.bind_socket()
    except SystemExit:
        raise PortTaken(f"port {config.port} on {HOST} is taken; choose another: make run PORT=8001") from None
    # What it accepts inherits this; asyncio sets it only where the listener was made with a protocol's number.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.listen(2048)  # so that the announced URL answers at once
    return listener


def _with_metrics(runtime: Runtime) -> ASGIApp:
    if not runtime.settings.metrics_url.startswith("prometheus:"):
        return runtime.asgi
    from twofold.local.metrics_page import with_metrics  # and with it prometheus-client

    return with_metrics(runtime)


def _server(config: "uvicorn.Config") -> "uvicorn.Server":
    """A server whose SIGTERM ends `serve` and no more: uvicorn's own raises it again, before the loops could end."""
    import uvicorn

    class Server(uvicorn.Server):
        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            loop = asyncio.get_running_loop()
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, self.handle_exit, number, None)
            yield

    return Server(config)


def announce(manifest: ServiceManifest, url: str, *, own: bool) -> None:
    """Prints where the service is, and a request to try; `own` when the checkout's issuer makes its tokens."""
    token = ""
    if manifest.scopes:
        token = f' -H "Authorization: Bearer {DevelopmentIssuer().token(manifest) if own else "$TOKEN"}"'
    print(f"{manifest.name} is at  {url}")
    print(f"its docs are at  {url}/docs")
    print(f"try it:  curl -s {url}{manifest.sample_request or '/health/ready'}{token}", flush=True)
