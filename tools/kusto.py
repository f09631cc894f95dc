"""Kusto's own parser from the npm registry, in the cache. `python tools/kusto.py` fetches it and prints its folder."""

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from twofold.emulators import npm
from twofold.emulators.cache import CACHE, MissingTool

LOCK = Path(__file__).parent / "kusto"
HOME = CACHE / "kusto-12.4.1"


def fetch() -> Path:
    """The folder with its `node_modules`. Raises MissingTool."""
    return npm.fetch("Kusto's parser", LOCK, HOME)


def check(tables: Mapping[str, str], queries: Mapping[str, str]) -> dict[str, list[str]]:
    """What Kusto's analyser says of each query, nothing when it is fine; columns are like `Time: datetime, Text: string`."""
    script = fetch() / "check.js"
    shutil.copy(LOCK / "check.js", script)
    asked = json.dumps({"tables": tables, "queries": queries})
    done = subprocess.run(["node", script], input=asked, capture_output=True, text=True, check=True)
    problems: dict[str, list[str]] = json.loads(done.stdout)
    return problems


if __name__ == "__main__":
    try:
        print(fetch())
    except MissingTool as exc:
        sys.exit(str(exc))
