"""A Redis server: the one on PATH. `python tools/redis_server.py` prints its path.

None is fetched: Redis publishes sources only, and every system packages it.
"""

import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from twofold.emulators.cache import MissingTool

NAMES = ("redis-server", "valkey-server")


def find() -> Path:
    """The server's path; MissingTool where none is installed."""
    for name in NAMES:
        if command := shutil.which(name):
            return Path(command)
    raise MissingTool(
        "redis-server is not on PATH; install it: apt-get install redis-server, dnf install valkey, or brew install redis"
    )


def command(port: int, *options: str) -> list[str]:
    """The command that serves on 127.0.0.1:port, all in memory."""
    return [str(find()), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", *options]


if __name__ == "__main__":
    try:
        print(find())
    except MissingTool as exc:
        sys.exit(str(exc))
