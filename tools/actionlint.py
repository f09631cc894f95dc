"""actionlint: the one on PATH, else a build from the Go module proxy in the cache (seconds, once).

`python tools/actionlint.py` prints its path.
"""

import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tools.cache import CACHE, MissingTool

VERSION = "1.7.7"
HERE = Path(__file__).parent / "actionlint"
BUILT = CACHE / f"actionlint-{VERSION}" / "actionlint"


def find() -> Path:
    """The linter's path; MissingTool when there is none and none can be built."""
    if found := shutil.which("actionlint"):
        return Path(found)
    if BUILT.is_file():
        return BUILT
    if not shutil.which("go"):
        raise MissingTool("actionlint is not on PATH, and building it needs Go (`go` is not on PATH)")
    BUILT.parent.mkdir(parents=True, exist_ok=True)
    fresh = BUILT.with_suffix(".new")
    command = ["go", "build", "-mod=readonly", "-o", str(fresh), "github.com/rhysd/actionlint/cmd/actionlint"]
    done = subprocess.run(command, cwd=HERE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise MissingTool(f"actionlint did not build:\n{done.stderr[-1500:]}")
    fresh.rename(BUILT)
    return BUILT


if __name__ == "__main__":
    try:
        print(find())
    except MissingTool as exc:
        sys.exit(str(exc))
