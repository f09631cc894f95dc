"""actionlint: the one on PATH, else a build from the Go module proxy in the cache (seconds, once).

`python tools/actionlint.py` prints its path.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tools import go
from twofold.emulators.cache import MissingTool

VERSION = "1.7.7"
HERE = Path(__file__).parent / "actionlint"


def find() -> Path:
    """The linter's path; MissingTool when there is none and none can be built."""
    package = "github.com/rhysd/actionlint/cmd/actionlint"
    return go.find("actionlint", "actionlint", VERSION, HERE, package, takes="seconds")


if __name__ == "__main__":
    try:
        print(find())
    except MissingTool as exc:
        sys.exit(str(exc))
