"""A Pulumi CLI: the one on PATH, else a build from the Go module proxy in the cache (five minutes, once).

`python tools/pulumi_cli.py` prints its path.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tools import go
from twofold.emulators.cache import MissingTool

VERSION = "3.250.0"
HERE = Path(__file__).parent / "pulumi"


def find() -> Path:
    """The CLI's path; MissingTool when there is none and none can be built."""
    # Without the version the Automation API refuses the CLI.
    flags = f"-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version={VERSION}"
    package = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
    return go.find("the Pulumi CLI", "pulumi", VERSION, HERE, package, takes="about five minutes", flags=flags)


if __name__ == "__main__":
    try:
        print(find())
    except MissingTool as exc:
        sys.exit(str(exc))
