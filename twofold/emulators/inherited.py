"""A server process on a socket that outlives it: who connects while it starts anew waits, and is not refused."""

import os
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

HOST = "127.0.0.1"
GRACE_SECONDS = 1.0


class InheritedServer:
    """`command` is run with the listening socket's number as its last argument. Its output is this process's own.

    Raises OSError when the port is taken.
    """

    def __init__(self, command: Sequence[str], folder: Path, environ: Mapping[str, str], port: int) -> None:
        self._listener = socket.create_server((HOST, port), backlog=256)
        self._command = [*command, str(self._listener.fileno())]
        self._folder, self._environ = folder, {**os.environ, **environ}
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"http://{HOST}:{self._listener.getsockname()[1]}"
        self.start()

    def start(self) -> None:
        """See `Host`; whether it serves is seen by asking it."""
        self._process = subprocess.Popen(
            self._command, cwd=self._folder, env=self._environ, pass_fds=[self._listener.fileno()], process_group=0
        )

    def stop(self) -> None:
        """See `Host`."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    @property
    def ended(self) -> bool:
        """See `Host`."""
        return self._process is None or self._process.poll() is not None

    def close(self) -> None:
        """Ends the process and the socket."""
        self.stop()
        self._listener.close()
