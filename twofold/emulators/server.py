"""An HTTP server on loopback, by default with TLS, in a thread, with faults to inject."""

import json
import math
import socket
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from twofold.emulators.tls import certificate, context


class Answer(Exception):
    """What a request gets: a status, a body (sent as JSON unless it is bytes) and headers. Raised from anywhere."""

    def __init__(self, status, body=None, headers=None):
        super().__init__(status)
        self.status, self.body, self.headers = status, body, headers or {}


class FakeServer:
    """Subclasses define `serve(method, path, query, headers, body)`, which returns or raises an Answer."""

    def __init__(self, *, tls=True):
        self.lock = threading.RLock()
        self.requests = []
        self._faults = []
        self._folder = tempfile.TemporaryDirectory()
        self.pem = certificate(Path(self._folder.name))
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def handle_any(self):
                fake._handle(self)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

            def log_message(self, *arguments):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

            def handle_error(self, request, client_address):
                pass  # clients hang up

        self._server = Server(("127.0.0.1", 0), Handler)
        if tls:
            self._server.socket = context(self.pem).wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.host = f"localhost:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def inject(self, times, answer=None, *, when=None, after=False):
        """The next `times` requests that `when(method, path, headers)` picks get `answer`, or with None a dropped
        connection; `after` does the work first and loses only the answer."""
        self._faults.append([times, answer, when or (lambda *request: True), after])

    def unspent(self):
        """How many injected faults nobody has met; those injected `math.inf` times don't count."""
        return sum(fault[0] for fault in self._faults if fault[0] != math.inf)

    def clear(self):
        """Takes back every fault."""
        self._faults.clear()

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def _fault(self, method, path, headers):
        for fault in self._faults:
            if fault[0] > 0 and fault[2](method, path, headers):
                fault[0] -= 1
                return fault
        return None

    def _handle(self, handler):
        length = handler.headers.get("Content-Length")
        body = handler.rfile.read(int(length)) if length else b""
        path, _, query = handler.path.partition("?")
        with self.lock:
            self.requests.append((handler.command, path))
            fault = self._fault(handler.command, path, handler.headers)
            answer = fault[1] if fault and not fault[3] else None
            if answer is None and not (fault and not fault[3]):
                try:
                    answer = self.serve(handler.command, path, query, handler.headers, body)
                except Answer as raised:
                    answer = raised
        if fault and fault[1] is None:
            handler.close_connection = True
            handler.connection.shutdown(socket.SHUT_RDWR)
            return
        body = b"" if answer.body is None else answer.body
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        handler.send_response(answer.status)
        for name, value in {"Content-Type": "application/json", **answer.headers}.items():
            handler.send_header(name, str(value))
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)
