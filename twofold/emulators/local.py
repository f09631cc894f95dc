"""A service on this machine alone: `twofold run`, in a process that can be started anew."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from twofold.emulators.dev_environment import SERVED, DevEnvironment
from twofold.emulators.inherited_socket import InheritedSocketServer


@contextmanager
def environment(target: str, root: Path, port: int, log: int | None = None) -> Iterator[DevEnvironment]:
    """The manifest's service under 127.0.0.1:port until the context ends. Raises OSError when the port is taken."""
    command = ["-m", "twofold.cli.main", "run", "--manifest", target, "--fd"]
    host = InheritedSocketServer([*SERVED, "twofold.local.door", "uvicorn"], command, root, {}, port, log)
    try:
        yield DevEnvironment(host.url, host, [("door", "uvicorn"), ("all blocks", "SQLite and files under .data/")])
    finally:
        host.close()
