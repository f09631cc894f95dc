"""An HTTP/1.1 server on 127.0.0.1 in a thread: what every fake stands on."""

import contextlib
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.fakes.tls import Certificate


@dataclass(frozen=True, slots=True)
class Request:
    """`path` is as sent (still percent-encoded), header names are lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class Response:
    """A status, its headers and the whole body."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


type App = Callable[[Request], Response | None]
"""Answers a request; None drops the connection without an answer."""


class Server:
    """Serves `app` until `stop`, which also cuts the connections that clients keep alive."""

    def __init__(self, app: App, certificate: Certificate | None = None) -> None:
        self._http = _Http(app, certificate)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)
        scheme = "https" if certificate else "http"
        self.url = f"{scheme}://127.0.0.1:{self._http.server_port}"

    def start(self) -> None:
        """Returns when connections are accepted."""
        self._thread.start()

    def stop(self) -> None:
        """Returns when the port is closed."""
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(5)


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, app: App, certificate: Certificate | None) -> None:
        self.app, self.certificate = app, certificate
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), _Handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.certificate:
            # The handshake waits for the handler's thread: a slow client must not hold up the others.
            connection = self.certificate.context.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        super().server_close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away (or distrusts the certificate) is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Http

    def _serve(self) -> None:
        if "content-length" not in self.headers and "transfer-encoding" in self.headers:
            self._answer(Response(411))
            self.close_connection = True
            return
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        headers = {name.lower(): value for name, value in self.headers.items()}
        response = self.server.app(Request(self.command, parts.path, query, headers, body))
        if response is None:
            self.close_connection = True
        else:
            self._answer(response)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _serve  # noqa: N815 - the base class names them

    def _answer(self, response: Response) -> None:
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        if response.status not in (204, 304):
            self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        if response.status not in (204, 304):
            self.wfile.write(response.body)

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: tests read the fake's own record of calls."""
