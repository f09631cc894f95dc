"""An HTTP server on loopback, by default with TLS, in a thread, with faults to inject."""

import json
import math
import socket
import tempfile
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Self

from twofold.emulators.loopback import LoopbackServer

type Headers = Message  # names are looked up without case
type When = Callable[[str, str, Headers], bool]


class Answer(Exception):
    """What a request gets: a status, a body (sent as JSON unless it is bytes) and headers. Raised from anywhere."""

    def __init__(self, status: int, body: object = None, headers: Mapping[str, object] | None = None) -> None:
        super().__init__(status)
        self.status, self.body, self.headers = status, body, headers or {}

    @property
    def data(self) -> bytes:
        """The body as it is sent."""
        content = b"" if self.body is None else self.body
        return content if isinstance(content, bytes) else json.dumps(content).encode()


@dataclass(slots=True)
class _Fault:
    times: float
    answer: Answer | None
    when: When
    after: bool


class FakeServer(ABC):
    """Serves from its making to `close`, at `host`; one request at a time, under `lock`.

    `requests` has the method and path of each so far; `pem` is, with TLS, the path of the certificate to trust.
    """

    def __init__(self, *, tls: bool = True) -> None:
        self.lock = threading.RLock()
        self.requests: list[tuple[str, str]] = []
        self._faults: list[_Fault] = []
        self._folder = tempfile.TemporaryDirectory()
        self.pem = ""
        self._server = LoopbackServer(self._handle)
        if tls:
            from twofold.emulators.tls import certificate, context  # loads cryptography

            self.pem = certificate(Path(self._folder.name))
            self._server.socket = context(self.pem).wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.host = f"localhost:{self._server.server_port}"
        self._server.start()

    @abstractmethod
    def serve(self, method: str, path: str, raw_query: str, headers: Headers, body: bytes) -> Answer:
        """The answer to a request, returned or raised. The path is as it was sent."""

    def inject(
        self, times: float, answer: Answer | None = None, *, when: When | None = None, after: bool = False
    ) -> None:
        """The next `times` requests that `when(method, path, headers)` picks get `answer`, or with None a dropped
        connection; `after` does the work first and loses only the answer."""
        self._faults.append(_Fault(times, answer, when or (lambda *request: True), after))

    def unspent(self) -> float:
        """How many injected faults nobody has met; those injected `math.inf` times don't count."""
        return sum(fault.times for fault in self._faults if fault.times != math.inf)

    def clear(self) -> None:
        """Takes back every fault."""
        self._faults.clear()

    def close(self) -> None:
        """Stops to listen, and removes the certificate."""
        self._server.close()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def answer(self, method: str, path: str, raw_query: str, headers: Headers, body: bytes) -> Answer | None:
        """What a request gets, faults included; None is a dropped connection."""
        with self.lock:
            self.requests.append((method, path))
            fault = self._fault(method, path, headers)
            answer = None
            if fault is None or fault.after:
                try:
                    answer = self.serve(method, path, raw_query, headers, body)
                except Answer as raised:
                    answer = raised
        return fault.answer if fault else answer

    def _fault(self, method: str, path: str, headers: Headers) -> _Fault | None:
        for fault in self._faults:
            if fault.times > 0 and fault.when(method, path, headers):
                fault.times -= 1
                return fault
        return None

    def _handle(self, handler: BaseHTTPRequestHandler) -> None:
        length = handler.headers.get("Content-Length")
        body = handler.rfile.read(int(length)) if length else b""
        path, _, query = handler.path.partition("?")
        answer = self.answer(handler.command, path, query, handler.headers, body)
        if answer is None:
            handler.close_connection = True
            handler.connection.shutdown(socket.SHUT_RDWR)
            return
        handler.send_response(answer.status)
        for name, value in {"Content-Type": "application/json", **answer.headers}.items():
            handler.send_header(name, str(value))
        handler.send_header("Content-Length", str(len(answer.data)))
        handler.end_headers()
        handler.wfile.write(answer.data)
