"""A collector that is down in some way, on loopback: it takes connections and then hangs, is slow, or answers 503."""

import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from twofold.emulators.process import free_port


@contextmanager
def collector(how):
    """Its URL. `refuses`: nobody listens; `hangs`: no answer until the end; `slow`: after a second; `fails`: 503."""
    if how == "refuses":
        yield f"otlp://127.0.0.1:{free_port()}"
        return
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            if how == "hangs":
                over.wait()
                return
            time.sleep(1.0 if how == "slow" else 0)
            self.send_response(503 if how == "fails" else 200)
            self.end_headers()

        def log_message(self, *arguments):
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"otlp://127.0.0.1:{server.server_port}"
    over.set()
    server.shutdown()
    server.server_close()
