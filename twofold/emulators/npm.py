"""A locked npm package, fetched into the cache."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from twofold.emulators.cache import CACHE, MissingTool


def fetch(name: str, lock: Path, home: Path) -> Path:
    """`home`, with the `node_modules` of `lock`'s package-lock.json; MissingTool without Node, or without npm to fetch it."""
    if not shutil.which("node"):
        raise MissingTool(f"{name} needs Node (`node` is not on PATH)")
    if (home / "node_modules/.package-lock.json").exists():
        return home
    if not (npm := shutil.which("npm")):
        raise MissingTool(f"fetching {name} needs `npm`, which is not on PATH")
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        for file in ("package.json", "package-lock.json"):
            shutil.copy(lock / file, folder)
        result = subprocess.run(
            [npm, "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"],
            cwd=folder,
            capture_output=True,
            text=True,
        )
        if result.returncode:
            raise MissingTool(f"npm failed to fetch {name}:\n{(result.stdout + result.stderr)[-1500:]}")
        shutil.rmtree(home, ignore_errors=True)
        Path(folder).rename(home)
        Path(folder).mkdir()  # for the context to remove
    return home
