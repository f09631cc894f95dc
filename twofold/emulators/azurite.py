"""Azurite from the npm registry, in the cache. `python -m twofold.emulators.azurite` fetches it and prints its folder.

Known divergences: tokens are read, not verified; the poison queue belongs to the Functions host.
"""

import base64
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from twofold.emulators import npm
from twofold.emulators.cache import CACHE, MissingTool
from twofold.emulators.process import Server, free_port
from twofold.emulators.tls import certificate

LOCK = Path(__file__).parent / "azurite"
HOME = CACHE / "azurite-3.37.0"
NAME = "devstoreaccount1"
KEY = {"account_name": NAME, "account_key": base64.b64encode(b"any key that Azurite is told").decode()}
"""What an SDK takes as the credential of the account's owner."""


@dataclass(frozen=True, slots=True)
class Account:
    """A storage account: its process, the URLs of its services, and the file of the certificate to trust."""

    server: Server
    queue: str
    blob: str
    certificate: str


def fetch() -> Path:
    """The folder with its `node_modules`. Raises MissingTool."""
    return npm.fetch("Azurite", LOCK, HOME)


@contextmanager
def account(name: str = NAME) -> Iterator[Account]:
    """Serves one on 127.0.0.1, all in memory, that takes `KEY` under its name, and Entra's tokens as Azure does. Raises
    MissingTool."""
    ports = {service: free_port() for service in ("queue", "blob", "table")}
    with tempfile.TemporaryDirectory() as folder:
        pem = certificate(Path(folder))
        command = [
            str(fetch() / "node_modules/.bin/azurite"), "--silent", "--skipApiVersionCheck", "--inMemoryPersistence",
            "--oauth", "basic", "--cert", pem, "--key", pem,
        ]  # fmt: skip
        for service, port in ports.items():
            command += [f"--{service}Host", "127.0.0.1", f"--{service}Port", str(port)]
        # It would wait for connections that its clients keep open, and has nothing to lose.
        keys = {"AZURITE_ACCOUNTS": f"{name}:{KEY['account_key']}"}
        with closing(Server(command, ports["queue"], keys, grace=0.5)) as server:
            queue, blob, _ = (f"https://127.0.0.1:{port}/{name}" for port in ports.values())
            yield Account(server, queue, blob, pem)


if __name__ == "__main__":
    try:
        print(fetch())
    except MissingTool as exc:
        sys.exit(str(exc))
