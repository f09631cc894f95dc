"""A server process: started on a free port, awaited, ended with its context."""

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from twofold.errors import TwofoldError


class NotStarted(TwofoldError):
    """A server ended, or did not answer in time; the message has the end of what it said."""


def free_port() -> int:
    """A port of 127.0.0.1 that was free just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(
    command: list[str],
    port: int,
    environ: dict[str, str] | None = None,
    wait: float = 60,
    *,
    folder: Path | None = None,
    grace: float = 10,
) -> Iterator[str]:
    """Yields the URL once the port answers, within `wait` seconds; ends the process after that, within `grace`. Raises
    NotStarted."""
    with tempfile.TemporaryFile("w+") as log:
        # A group of its own: Ctrl-C at the terminal is for whoever looks after it.
        process = subprocess.Popen(
            command, env=os.environ | (environ or {}), stdout=log, stderr=log, cwd=folder, process_group=0
        )
        try:
            deadline = time.monotonic() + wait
            while True:
                if process.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    raise NotStarted(f"{command[0]} did not start:\n{log.read()[-2000:]}")
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.05)
            yield f"http://127.0.0.1:{port}"
        finally:
            end(process, grace)


def end(process: subprocess.Popen[bytes], grace: float) -> None:
    """Asks it to end, and ends it after `grace` seconds."""
    process.terminate()
    try:
        process.wait(grace)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
