"""A Pulumi CLI: the one on PATH, else a build from the Go module proxy in the cache (five minutes, once).

`python tools/pulumi_cli.py` prints its path.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tools.cache import CACHE, MissingTool

VERSION = "3.250.0"
HERE = Path(__file__).parent / "pulumi"
BUILT = CACHE / f"pulumi-{VERSION}" / "pulumi"


def find() -> Path:
    """The CLI's path; MissingTool when there is none and none can be built."""
    if found := shutil.which("pulumi"):
        return Path(found)
    if BUILT.is_file():
        return BUILT
    if not shutil.which("go"):
        raise MissingTool("the Pulumi CLI is not on PATH, and building it needs Go (`go` is not on PATH)")
    BUILT.parent.mkdir(parents=True, exist_ok=True)
    with open(BUILT.parent / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not BUILT.is_file():
            _build()
    return BUILT


def _build() -> None:
    print("building the Pulumi CLI, once: about five minutes", file=sys.stderr, flush=True)
    fresh = BUILT.with_suffix(".new")
    # Without the version the Automation API refuses the CLI.
    flags = f"-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version={VERSION}"
    done = subprocess.run(
        ["go", "build", "-mod=readonly", "-ldflags", flags, "-o", fresh, "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"],
        cwd=HERE,
        env=os.environ | {"GOFLAGS": "", "GOWORK": "off"},
        stderr=subprocess.PIPE,
        text=True,
    )
    if done.returncode:
        raise MissingTool(f"the Pulumi CLI did not build:\n{done.stderr[-1500:]}")
    fresh.rename(BUILT)


if __name__ == "__main__":
    try:
        print(find())
    except MissingTool as exc:
        sys.exit(str(exc))
