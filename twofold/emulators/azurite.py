"""Azurite from the npm registry, in the cache. `python -m twofold.emulators.azurite` fetches it and prints its folder."""

import sys
from pathlib import Path

from twofold.emulators import npm
from twofold.emulators.cache import CACHE, MissingTool

LOCK = Path(__file__).parent / "azurite"
HOME = CACHE / "azurite-3.37.0"


def fetch() -> Path:
    """The folder with its `node_modules`. Raises MissingTool."""
    return npm.fetch("Azurite", LOCK, HOME)


def command(queue_port: int, blob_port: int, table_port: int) -> list[str]:
    """The command that serves on 127.0.0.1, all in memory."""
    ports = {"queue": queue_port, "blob": blob_port, "table": table_port}
    options = [
        text for name, port in ports.items() for text in (f"--{name}Host", "127.0.0.1", f"--{name}Port", str(port))
    ]
    return [
        str(fetch() / "node_modules/.bin/azurite"),
        "--silent",
        "--skipApiVersionCheck",
        "--inMemoryPersistence",
        *options,
    ]


if __name__ == "__main__":
    try:
        print(fetch())
    except MissingTool as exc:
        sys.exit(str(exc))
