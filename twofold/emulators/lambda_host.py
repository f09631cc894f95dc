"""Lambda before and behind a function: API Gateway's HTTP API as a front, the Runtime API for the real `awslambdaric`.

The function runs in a process of its own. `url` takes HTTP, sent on as events of payload format 2.0; `invoke` sends any
other event.
Known divergences: one instance, no timeouts, no throttles, no retries; a path is passed on as it was sent.
"""

import base64
import itertools
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

RUNTIME = "/2018-06-01/runtime/"
ARN = "arn:aws:lambda:eu-central-1:123456789012:function:test"


class FunctionError(Exception):
    """The function raised; the message is what it told the Runtime API."""


class LambdaHost:
    """A function's host. Raises FunctionError from the start when its module fails to load."""

    def __init__(self, folder, environ, handler="lambda_function.lambda_handler"):
        self._events, self._answers = queue.Queue(), {}
        self._ready, self._failed = threading.Event(), None
        host = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def handle_any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, headers, answer = (host._runtime if self.path.startswith(RUNTIME) else host._gateway)(
                    self, body
                )
                self.send_response_only(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(b"" if self.command == "HEAD" else answer)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = handle_any
            do_TRACE = do_QUERY = handle_any

            def log_message(self, *arguments):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

            def handle_error(self, request, client_address):
                pass  # clients hang up

        self._server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        address = f"127.0.0.1:{self._server.server_port}"
        self.url = f"http://{address}"
        self.log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed by close
        own = {
            "AWS_LAMBDA_RUNTIME_API": address, "LAMBDA_TASK_ROOT": str(folder), "AWS_LAMBDA_FUNCTION_NAME": "test",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512", "AWS_LAMBDA_FUNCTION_VERSION": "1", "AWS_REGION": "eu-central-1",
            "PYTHONPATH": str(folder),
        }  # fmt: skip
        self._process = subprocess.Popen(
            [sys.executable, "-m", "awslambdaric", handler],
            cwd=folder, env=os.environ | own | environ, stdout=self.log, stderr=self.log,
        )  # fmt: skip
        deadline = time.monotonic() + 60
        while not self._ready.wait(0.02):
            if self._failed or self._process.poll() is not None or time.monotonic() > deadline:
                self._process.kill()
                self._process.wait()
                self.log.seek(0)
                raise FunctionError(f"the function did not start: {self._failed}\n{self.log.read()[-3000:]}")

    def invoke(self, event):
        """The function's answer; raises FunctionError."""
        id, answered = str(uuid.uuid4()), queue.Queue()
        self._answers[id] = answered
        self._events.put((id, json.dumps(event).encode()))
        kind, body = answered.get(timeout=60)
        if kind == "error":
            raise FunctionError(body.decode())
        return json.loads(body)

    def close(self):
        self._process.kill()
        self._process.wait()
        self._server.shutdown()
        self._server.server_close()
        self.log.close()

    def _runtime(self, request, body):
        rest = request.path.removeprefix(RUNTIME)
        if rest == "invocation/next":
            self._ready.set()
            id, event = self._events.get()
            deadline = str(int((time.time() + 29) * 1000))
            names = (
                "Lambda-Runtime-Aws-Request-Id",
                "Lambda-Runtime-Deadline-Ms",
                "Lambda-Runtime-Invoked-Function-Arn",
            )
            return 200, [*zip(names, (id, deadline, ARN), strict=True), ("Content-Type", "application/json")], event
        if rest == "init/error":
            self._failed = body.decode()
            return 202, [], b"{}"
        _, id, kind = rest.split("/")
        self._answers.pop(id).put((kind, body))
        return 202, [], b"{}"

    def _gateway(self, request, body):
        path, _, query = request.path.partition("?")
        headers, cookies = {}, []
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
        event = {
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
        except FunctionError:  # what API Gateway says then
            return 500, [("Content-Type", "application/json")], b'{"message":"Internal Server Error"}'
        content = answer.get("body") or ""
        data = base64.b64decode(content) if answer.get("isBase64Encoded") else content.encode()
        pairs = [(name, value) for name, value in answer.get("headers", {}).items() if name.lower() != "content-length"]
        return answer["statusCode"], [*pairs, *zip(itertools.repeat("set-cookie"), answer.get("cookies", ()))], data
