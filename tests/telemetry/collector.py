"""A collector that is down in some way, on loopback: it takes connections and then hangs, is slow, or answers 503."""

import threading
import time
from contextlib import contextmanager

from twofold.emulators.loopback import LoopbackServer
from twofold.emulators.process import free_port


@contextmanager
def collector(how):
    """Its URL. `refuses`: nobody listens; `hangs`: no answer until the end; `slow`: after a second; `fails`: 503."""
    if how == "refuses":
        yield f"otlp://127.0.0.1:{free_port()}"
        return
    over = threading.Event()

    def handle(request):
        request.rfile.read(int(request.headers["Content-Length"]))
        if how == "hangs":
            over.wait()
            return
        time.sleep(1.0 if how == "slow" else 0)
        request.send_response(503 if how == "fails" else 200)
        request.send_header("Content-Length", "0")
        request.end_headers()

    server = LoopbackServer(handle)
    server.start()
    yield f"otlp://127.0.0.1:{server.server_port}"
    over.set()
    server.close()
