"""A threaded HTTP server on loopback, quiet about requests and about clients that hang up."""

import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class LoopbackServer(ThreadingHTTPServer):
    """Hands each request to `handle`, in a thread of its connection. Raises OSError when the port is taken; 0 takes a free one.

    With a `listener` it serves what comes there, and leaves that open.
    """

    daemon_threads = True
    request_queue_size = 256

    def __init__(
        self, handle: Callable[[BaseHTTPRequestHandler], None], port: int = 0, listener: socket.socket | None = None
    ) -> None:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def handle_any(self) -> None:
                handle(self)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = handle_any
            do_TRACE = do_QUERY = do_CONNECT = handle_any

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        super().__init__(("127.0.0.1", port), Handler, bind_and_activate=listener is None)
        if listener is not None:
            self.socket.close()
            self.socket = listener.dup()
            self.socket.setblocking(False)  # as the process that had it before

    def get_request(self) -> tuple[socket.socket, Any]:
        """See socketserver.TCPServer."""
        request, address = super().get_request()
        request.setblocking(True)  # on macOS it is as its listener
        return request, address

    def handle_error(self, request: object, client_address: object) -> None:
        """A client hung up."""

    def start(self) -> None:
        """Serves from now on."""
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """Ends it."""
        self.shutdown()
        self.server_close()
