"""Azurite from the npm registry, in the cache. `python tools/azurite.py` fetches it and prints its folder."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tools.cache import CACHE, MissingTool

LOCK = Path(__file__).parent / "azurite"
HOME = CACHE / "azurite-3.37.0"


def fetch() -> Path:
    """The folder with its `node_modules`; MissingTool without Node, or without npm to fetch it."""
    if not shutil.which("node"):
        raise MissingTool("Azurite needs Node (`node` is not on PATH)")
    if (HOME / "node_modules/.bin/azurite").exists():
        return HOME
    if not shutil.which("npm"):
        raise MissingTool("fetching Azurite needs `npm`, which is not on PATH")
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(LOCK / name, folder)
        done = subprocess.run(
            ["npm", "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"],
            cwd=folder,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise MissingTool(f"npm failed to fetch Azurite:\n{(done.stdout + done.stderr)[-1500:]}")
        shutil.rmtree(HOME, ignore_errors=True)
        Path(folder).rename(HOME)
        Path(folder).mkdir()  # for the context to remove
    return HOME


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
