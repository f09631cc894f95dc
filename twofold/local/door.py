"""The local door: uvicorn on loopback, the loops beside it, one process."""

import asyncio
import logging
import sys
from pathlib import Path

from twofold.errors import TwofoldError
from twofold.local.loops import Loops
from twofold.manifest import ServiceManifest
from twofold.runtime import Runtime

HOST = "127.0.0.1"


class PortTaken(TwofoldError):
    """Something else listens on the port."""


def serve(manifest: ServiceManifest, *, root: Path, port: int) -> None:
    """Serves until SIGINT or SIGTERM, then ends within 15 seconds with the work in hand finished or returned.

    Port 0 takes a free one. Raises `PortTaken`, and `SettingsError` before anything starts.
    """
    asyncio.run(_serve(manifest, root, port))


async def _serve(manifest: ServiceManifest, root: Path, port: int) -> None:
    import uvicorn

    runtime = Runtime(manifest, root=root)
    level = getattr(logging, runtime.settings.log_level.upper())
    logging.basicConfig(level=level, stream=sys.stderr, format="%(message)s", force=True)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    config = uvicorn.Config(
        runtime.asgi, host=HOST, port=port, lifespan="off", access_log=False, log_level="warning",
        server_header=False, proxy_headers=False, timeout_graceful_shutdown=5,
    )  # fmt: skip
    try:
        listener = config.bind_socket()
    except SystemExit:
        raise PortTaken(f"port {port} on {HOST} is taken; choose another: make run PORT=8001") from None
    with listener:
        await runtime.start()
        loops = Loops(runtime) if runtime.embedded else None
        if loops:
            loops.start()
        try:
            _announce(manifest, f"http://{HOST}:{listener.getsockname()[1]}")
            await uvicorn.Server(config).serve(sockets=[listener])
        finally:
            if loops:
                await loops.stop()
            await runtime.stop()


def _announce(manifest: ServiceManifest, url: str) -> None:
    print(f"{manifest.name} is at  {url}")
    print(f"its docs are at  {url}/docs")
    print(f"try it:  curl -s {url}{manifest.sample_request or '/health/ready'}", flush=True)
