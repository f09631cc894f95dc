"""A threaded HTTP server on loopback, quiet about requests and about clients that hang up."""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class LoopbackServer(ThreadingHTTPServer):
    """Hands each request to `handle`, in a thread of its connection. Raises OSError when the port is taken; 0 takes a free one."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, handle: Callable[[BaseHTTPRequestHandler], None], port: int = 0) -> None:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def handle_any(self) -> None:
                handle(self)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = handle_any
            do_TRACE = do_QUERY = do_CONNECT = handle_any

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        super().__init__(("127.0.0.1", port), Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client hung up."""

    def start(self) -> None:
        """Serves from now on."""
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """Ends it."""
        self.shutdown()
        self.server_close()
