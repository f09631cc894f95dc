"""Processes in groups of their own that end with this one, and a server among them: started on a port, awaited, started again."""

import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from twofold.emulators import guard
from twofold.errors import TwofoldError


class NotStarted(TwofoldError):
    """A server ended, or did not answer in time; the message has the end of what it said."""


def free_port() -> int:
    """A port of 127.0.0.1 that was free just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Server:
    """A server process, from its making to `close`; `url` is where it answers, `started` when it first did.

    Raises NotStarted when it does not answer within `wait` seconds. `close` ends it within `grace` seconds.
    """

    def __init__(
        self, command: Sequence[str], port: int, environ: Mapping[str, str] | None = None, wait: float = 60,
        *, folder: Path | None = None, grace: float = 10,
    ) -> None:  # fmt: skip
        self._command, self._port, self._environ = command, port, os.environ | (environ or {})
        self._wait, self._folder, self._grace = wait, folder, grace
        self.url = f"http://127.0.0.1:{port}"
        self.start()

    def start(self) -> None:
        """Starts it, also once more after it has ended."""
        with tempfile.TemporaryFile("w+") as log:
            self._process = spawn(self._command, env=self._environ, stdout=log, stderr=log, cwd=self._folder)
            try:
                self._await(log)
            except BaseException:
                self.close()
                raise
        self.started = time.monotonic()

    @property
    def ended(self) -> bool:
        """Whether it has ended by itself."""
        return self._process.poll() is not None

    def close(self) -> None:
        """Ends it."""
        end(self._process, self._grace)

    def _await(self, log: IO[str]) -> None:
        deadline = time.monotonic() + self._wait
        while True:
            if self.ended or time.monotonic() > deadline:
                log.seek(0)
                raise NotStarted(f"{self._command[0]} did not start:\n{log.read()[-2000:]}")
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._port)) == 0:
                    return
            time.sleep(0.05)


@contextmanager
def serving(
    command: Sequence[str], port: int, environ: Mapping[str, str] | None = None, wait: float = 60,
    *, folder: Path | None = None, grace: float = 10,
) -> Iterator[str]:  # fmt: skip
    """A `Server` for a context, by its URL."""
    server = Server(command, port, environ, wait, folder=folder, grace=grace)
    try:
        yield server.url
    finally:
        server.close()


def spawn(command: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
    """A process with a group of its own, since Ctrl-C at the terminal is for whoever looks after it; it ends with this one."""
    process: subprocess.Popen[bytes] = subprocess.Popen(command, process_group=0, **options)
    guard.watch(process.pid)
    return process


def end(process: subprocess.Popen[bytes], grace: float) -> None:
    """Asks a process to end, and ends it after `grace` seconds; and with it what it has started."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(grace)
    kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """Ends a process of `spawn` and what it has started."""
    with suppress(ProcessLookupError, PermissionError):  # PermissionError: macOS, where all of it has ended
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    guard.release(process.pid)
