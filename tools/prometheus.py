"""Prometheus and promtool: those on PATH (`apt-get install prometheus`, `brew install prometheus`).

`python tools/prometheus.py` prints where they are.
"""

import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from twofold.emulators.cache import MissingTool


def find(name: str = "prometheus") -> Path:
    """The program's path; MissingTool when there is none."""
    if command := shutil.which(name):
        return Path(command)
    raise MissingTool(f"{name} is not on PATH; it comes with the package prometheus: apt-get install prometheus")


if __name__ == "__main__":
    try:
        print(find(), find("promtool"))
    except MissingTool as exc:
        sys.exit(str(exc))
