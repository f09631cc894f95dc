"""Where an emulated cloud's hosts answer under their own names: a proxy on loopback, as a company's network has one.

Every SDK of Azure, httpx and the kit honour `HTTPS_PROXY` and where to find trusted certificates. So no setting, program or
service knows of an emulator, and no name is resolved.
"""

import ssl
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from twofold.emulators.loopback import LoopbackServer
from twofold.emulators.server import Answer
from twofold.emulators.tls import certificate, context

DOMAINS = (
    "api.loganalytics.azure.com", "graph.microsoft.com", "management.azure.com", "*.azure-api.net", "*.azurewebsites.net",
    "*.blob.core.windows.net", "*.documents.azure.com", "*.queue.core.windows.net", "*.scm.azurewebsites.net",
    "*.vault.azure.net", "*.westeurope-1.eventgrid.azure.net",
)  # fmt: skip

HOP_BY_HOP = {"host", "connection", "keep-alive", "content-length", "transfer-encoding", "expect"}


class Request(NamedTuple):
    """What a host was asked. `headers` are looked up without case, as in `email.message.Message`."""

    host: str
    method: str
    path: str
    query: str
    headers: object
    body: bytes

    @property
    def target(self):
        """Path and query, as in a request's first line."""
        return f"{self.path}?{self.query}" if self.query else self.path


type Host = Callable[[Request], Answer | None]


class Front:
    """`hosts` has who answers, by name. `environ` is what a process needs to reach them; `trusts` are more certificates.

    `failures` are the tracebacks of what went wrong here, and in none of the services.
    """

    def __init__(self, *trusts, domains=DOMAINS):
        self.hosts: dict[str, Host] = {}
        self.failures: list[str] = []
        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name)
        own = certificate(folder, *domains)
        self.trusted = str(folder / "trusted.pem")
        Path(self.trusted).write_text("".join(Path(pem).read_text() for pem in (own, *trusts)))
        self._context = context(own)
        self._server = LoopbackServer(self._handle)
        self._server.start()
        self.proxy = f"http://127.0.0.1:{self._server.server_port}"
        self.environ = {
            "HTTPS_PROXY": self.proxy, "NO_PROXY": "localhost,127.0.0.1", "SSL_CERT_FILE": self.trusted,
            "REQUESTS_CA_BUNDLE": self.trusted,
        }  # fmt: skip

    def ask(self, request):
        """The host's answer; 404 where there is none."""
        if (host := self.hosts.get(request.host)) is None:
            return Answer(404, {"error": f"there is no {request.host}"})
        try:
            return host(request)
        except Answer as raised:
            return raised
        except Exception:
            self.failures.append(traceback.format_exc())
            return Answer(500, {"error": "the emulator failed"})

    def close(self):
        self._server.close()
        self._folder.cleanup()

    def _handle(self, handler):
        if handler.command == "CONNECT":
            self._tunnel(handler)
            return
        length = int(handler.headers.get("Content-Length") or 0)
        path, _, query = handler.path.partition("?")
        name = handler.headers["Host"].partition(":")[0]
        answer = self.ask(Request(name, handler.command, path, query, handler.headers, handler.rfile.read(length)))
        if answer is None:
            handler.close_connection = True
            return
        write(handler, answer)

    def _tunnel(self, handler):
        """Ends the tunnel's TLS here, whichever host it is for, and serves what comes through."""
        handler.send_response(200)
        handler.end_headers()
        try:
            with self._context.wrap_socket(handler.connection, server_side=True) as tls:
                handler.connection, handler.rfile, handler.wfile = tls, tls.makefile("rb"), tls.makefile("wb")
                handler.close_connection = False
                while not handler.close_connection:
                    handler.handle_one_request()
        except (ssl.SSLError, OSError):  # the client hung up
            pass
        handler.close_connection = True


def write(handler, answer):
    """Sends an answer; one to HEAD keeps the length that it was given."""
    headers = {"Content-Type": "application/json", "Content-Length": len(answer.data), **answer.headers}
    handler.send_response(answer.status)
    for name, value in headers.items():
        handler.send_header(name, str(value))
    handler.end_headers()
    if handler.command != "HEAD":
        handler.wfile.write(answer.data)


def forwarded(connection, request, headers):
    """What a server behind a host answers to a request, sent on with these headers: (name, value) of each."""
    try:
        connection.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
        kept = [(name, value) for name, value in headers if name.lower() not in HOP_BY_HOP]
        for name, value in [("Host", request.host), *kept, ("Content-Length", str(len(request.body)))]:
            connection.putheader(name, value)
        connection.endheaders(request.body or None)
        answer = connection.getresponse()
        sized = HOP_BY_HOP - ({"content-length"} if request.method == "HEAD" else set())
        fields = {name.title(): value for name, value in answer.getheaders() if name.lower() not in sized}
        return Answer(answer.status, answer.read(), fields)
    finally:
        connection.close()
