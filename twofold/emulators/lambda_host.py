"""Lambda before and behind a function: API Gateway's HTTP API as a front, the Runtime API for the real `awslambdaric`.

The function runs in processes of its own. `url` takes HTTP, sent on as events of payload format 2.0; `invoke` sends any
other event.
As Lambda does, it starts one more instance, up to so many, when there are more events than instances.
Known divergences: no timeouts, no throttles, no retries, instances live on; a path is passed on as it was sent.
"""

import base64
import itertools
import json
import os
import queue
import subprocess
import tempfile
import threading
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import IO, Any

from twofold.emulators.dev_environment import GRACE_SECONDS
from twofold.emulators.loopback import LoopbackServer
from twofold.emulators.page import page
from twofold.emulators.preloaded_command import PreloadedCommand
from twofold.emulators.process import kill
from twofold.errors import TwofoldError

RUNTIME = "/2018-06-01/runtime/"
ARN = "arn:aws:lambda:eu-central-1:123456789012:function:test"
HANDLER = "lambda_function.lambda_handler"

type Answer = tuple[int, Iterable[tuple[str, str]], bytes]


class FunctionError(TwofoldError):
    """The function raised; the message is what it told the Runtime API."""


class LambdaHost:
    """A function's host, on 127.0.0.1. `log` takes what the function writes, and its caller starts it; a request that fails is
    told why. Without one it is a file of the host's own, the function is started at once, and a failure is told as AWS does.

    Raises FunctionError from the start when its module fails to load, and OSError when the port is taken.
    """

    def __init__(
        self, folder: Path, environ: Mapping[str, str], *, port: int = 0, instances: int = 1,
        modules: Sequence[str] = (), log: int | None = None,
    ) -> None:  # fmt: skip
        self._events: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self._answers: dict[str, queue.Queue[tuple[str, bytes]]] = {}
        self._in_hand: set[str] = set()
        self._ready, self._failed, self._stopping = threading.Event(), "", False
        self._page = ""
        self._instances, self._start_number = instances, 0
        self._processes: list[subprocess.Popen[bytes]] = []
        self._scaling = threading.Lock()
        self._server = LoopbackServer(self._handle, port)
        self._server.start()
        address = f"127.0.0.1:{self._server.server_port}"
        self.url = f"http://{address}"
        self.log: IO[str] | None = None if log else tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed by close
        own = {
            "AWS_LAMBDA_RUNTIME_API": address, "LAMBDA_TASK_ROOT": str(folder), "AWS_LAMBDA_FUNCTION_NAME": "test",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512", "AWS_LAMBDA_FUNCTION_VERSION": "1", "AWS_REGION": "eu-central-1",
            "PYTHONPATH": str(folder),
        }  # fmt: skip
        command = ["-m", "awslambdaric", HANDLER]
        self._command = PreloadedCommand(
            modules, command, folder, {**os.environ, **own, **environ}, log=self.log or log
        )
        if log is None:
            self.start()

    def start(self) -> None:
        """Starts an instance, from the files as they are now; raises FunctionError as the constructor does."""
        self._failed, self._page, self._stopping = "", "", False
        self._ready.clear()
        self._processes = [self._command.take()]
        deadline = time.monotonic() + 60
        while not self._ready.wait(0.02):
            if self._failed or self.ended or time.monotonic() > deadline:
                self.stop()
                self._failed = self._failed or "it ended without a word to the Runtime API"
                raise FunctionError(f"the function did not start: {self._failed}\n{self._said()}")

    def prepare(self) -> None:
        """Has the next instance import `modules` already."""
        self._command.prepare()

    def stop(self) -> None:
        """Ends the instances. What they have in hand fails unless it is done within a second; what waits goes to the next start."""
        with self._scaling:
            self._start_number += 1
            self._stopping = True
            self._ready.clear()
        deadline = time.monotonic() + GRACE_SECONDS
        while self._in_hand and not self.ended and time.monotonic() < deadline:
            time.sleep(0.01)
        for process in self._processes:
            kill(process)
        self._processes = []
        for request_id in list(self._in_hand):
            self._settle(request_id, "error", b"the instance was ended")

    def show(self, failure: str) -> None:
        """Ends the instances, and answers every request with this; other events fail. What waits, too."""
        self.stop()
        with self._scaling:
            self._failed = self._page = failure
            self._events = queue.Queue()
            for request_id in list(self._answers):
                self._settle(request_id, "error", failure.encode())

    @property
    def ended(self) -> bool:
        """Whether an instance has ended by itself."""
        return any(process.poll() is not None for process in self._processes)

    def invoke(self, event: Mapping[str, Any]) -> Any:
        """The function's answer; raises FunctionError, also when there is none within a minute."""
        request_id, answered = str(uuid.uuid4()), queue.Queue[tuple[str, bytes]]()
        with self._scaling:
            if self._failed:
                raise FunctionError(self._failed)
            self._answers[request_id] = answered
            self._events.put((request_id, json.dumps(event).encode()))
            if self._ready.is_set() and len(self._processes) < min(
                self._instances, len(self._in_hand) + self._events.qsize()
            ):
                self._processes.append(self._command.take())
                self._command.prepare()  # this was the next start's
        try:
            kind, body = answered.get(timeout=60)
        except queue.Empty:
            raise FunctionError("no answer within 60 seconds") from None
        if kind == "error":
            raise FunctionError(body.decode())
        return json.loads(body)

    def close(self) -> None:
        """Ends the instances and the front."""
        self.stop()
        self._command.close()
        self._server.close()
        if self.log:
            self.log.close()

    def _said(self) -> str:
        if not self.log:  # somebody sees it already
            return ""
        self.log.seek(0)
        return self.log.read()[-3000:]

    def _settle(self, request_id: str, kind: str, body: bytes) -> None:
        self._in_hand.discard(request_id)
        if waiting := self._answers.pop(request_id, None):
            waiting.put((kind, body))

    def _handle(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        answer = (self._runtime if request.path.startswith(RUNTIME) else self._gateway)(request, body)
        if answer is None:
            request.close_connection = True
            return
        status, headers, content = answer
        request.send_response_only(status)
        for name, value in headers:
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(b"" if request.command == "HEAD" else content)

    def _runtime(self, request: BaseHTTPRequestHandler, body: bytes) -> Answer | None:
        rest = request.path.removeprefix(RUNTIME)
        if rest == "invocation/next":
            return self._next()
        if rest == "init/error":
            self._failed = body.decode()
            return 202, [], b"{}"
        _, request_id, kind = rest.split("/")
        self._settle(request_id, kind, body)
        return 202, [], b"{}"

    def _next(self) -> Answer | None:
        """An event, or None for an instance that was ended meanwhile: nobody would read it there."""
        mine = self._start_number
        if not self._stopping:  # one that has just done its last work asks, too
            self._ready.set()
        while mine == self._start_number and not self._stopping:
            try:
                request_id, event = self._events.get(timeout=0.2)
            except queue.Empty:
                continue
            if mine != self._start_number:
                if request_id in self._answers:
                    self._events.put((request_id, event))
                break
            self._in_hand.add(request_id)
            deadline = str(int((time.time() + 29) * 1000))
            names = (
                "Lambda-Runtime-Aws-Request-Id",
                "Lambda-Runtime-Deadline-Ms",
                "Lambda-Runtime-Invoked-Function-Arn",
            )
            return (
                200,
                [*zip(names, (request_id, deadline, ARN), strict=True), ("Content-Type", "application/json")],
                event,
            )
        time.sleep(2 * GRACE_SECONDS)  # it would complain of a connection that is closed before it is ended
        return None

    def _gateway(self, request: BaseHTTPRequestHandler, body: bytes) -> Answer:
        path, _, query = request.path.partition("?")
        headers: dict[str, str] = {}
        cookies: list[str] = []
        for name, value in request.headers.items():
            if name.lower() == "cookie":
                cookies += value.split("; ")
            else:
                key = name.lower()
                headers[key] = f"{headers[key]},{value}" if key in headers else value
        caller = request.client_address[0]
        headers["x-forwarded-for"] = ",".join(filter(None, [headers.get("x-forwarded-for"), caller]))
        headers |= {"x-forwarded-proto": "http", "x-forwarded-port": str(self._server.server_port)}
        try:
            text, encoded = body.decode(), False
        except UnicodeDecodeError:
            text, encoded = base64.b64encode(body).decode(), True
        http = {"method": request.command, "path": path, "protocol": "HTTP/1.1", "sourceIp": caller,
                "userAgent": headers.get("user-agent", "")}  # fmt: skip
        event: dict[str, Any] = {
            "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": query,
            "headers": headers, "isBase64Encoded": encoded,
            "requestContext": {
                "accountId": "123456789012", "apiId": "test", "domainName": headers.get("host", ""), "http": http,
                "domainPrefix": "test", "requestId": str(uuid.uuid4()), "routeKey": "$default", "stage": "$default",
                "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime()), "timeEpoch": int(time.time() * 1000),
            },
        } | ({"cookies": cookies} if cookies else {}) | ({"body": text} if body else {})  # fmt: skip
        try:
            answer = self.invoke(event)
        except FunctionError as exc:
            if self.log is None:  # for who writes it
                return page(headers.get("accept", ""), self._page or str(exc))
            # What API Gateway says then.
            return 500, [("Content-Type", "application/json")], b'{"message":"Internal Server Error"}'
        content = answer.get("body") or ""
        data = base64.b64decode(content) if answer.get("isBase64Encoded") else content.encode()
        pairs = [(name, value) for name, value in answer.get("headers", {}).items() if name.lower() != "content-length"]
        return answer["statusCode"], [*pairs, *zip(itertools.repeat("set-cookie"), answer.get("cookies", ()))], data
