"""A server process on a socket that outlives it: who connects while it starts anew waits, and is not refused."""

import os
import socket
import subprocess
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from twofold.emulators import page
from twofold.emulators.dev_environment import GRACE_SECONDS
from twofold.emulators.loopback import LoopbackServer
from twofold.emulators.preloaded_command import PreloadedCommand
from twofold.emulators.process import end

HOST = "127.0.0.1"


class InheritedSocketServer:
    """`command` is run, once it is started, with the listening socket's number as its last argument, after `modules` were
    imported. Its output goes to `log`, or is this process's own. Raises OSError when the port is taken.
    """

    def __init__(
        self, modules: Sequence[str], command: Sequence[str], folder: Path, environ: Mapping[str, str], port: int,
        log: int | None = None,
    ) -> None:  # fmt: skip
        self._listener = socket.create_server((HOST, port), backlog=256)
        self._listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # what it accepts inherits this
        number = self._listener.fileno()
        self.url = f"http://{HOST}:{self._listener.getsockname()[1]}"
        self._command = PreloadedCommand(
            modules, [*command, str(number)], folder, os.environ | environ, log=log, pass_fds=[number]
        )
        self._process: subprocess.Popen[bytes] | None = None
        self._page: LoopbackServer | None = None
        self._failure = ""

    def start(self) -> None:
        """See `Host`; whether it serves is seen by asking it."""
        self._withdraw()
        self._process = self._command.take()

    def prepare(self) -> None:
        """See `Host`."""
        self._command.prepare()

    def stop(self) -> None:
        """See `Host`."""
        if self._process is not None:
            end(self._process, GRACE_SECONDS)
            self._process = None

    def show(self, failure: str) -> None:
        """See `Host`."""
        self.stop()
        self._withdraw()
        self._failure = failure
        self._page = LoopbackServer(self._answer, listener=self._listener)
        self._page.start()

    @property
    def ended(self) -> bool:
        """See `Host`."""
        return self._process is not None and self._process.poll() is not None

    def close(self) -> None:
        """Ends the processes and the socket."""
        self.stop()
        self._withdraw()
        self._command.close()
        self._listener.close()

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        if self._failure:
            page.answer(request, self._failure)
        else:  # its connection was made before the service started: it asks again on another
            request.close_connection = True

    def _withdraw(self) -> None:
        self._failure = ""
        if self._page is not None:
            self._page.close()
            self._page = None
