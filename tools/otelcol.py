"""An OpenTelemetry Collector: the one on PATH, else a build from the Go module proxy in the cache (once, some minutes).

`python tools/otelcol.py` prints its path. The sources in `tools/otelcol/` are what its own builder makes of the OTLP receiver and
the debug exporter.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tools.cache import CACHE, MissingTool

VERSION = "0.165.0"
HERE = Path(__file__).parent / "otelcol"
BUILT = CACHE / f"otelcol-{VERSION}" / "otelcol"


def find() -> Path:
    """The collector's path; MissingTool when there is none and none can be built."""
    if found := shutil.which("otelcol"):
        return Path(found)
    if BUILT.is_file():
        return BUILT
    if not shutil.which("go"):
        raise MissingTool("otelcol is not on PATH, and building it needs Go (`go` is not on PATH)")
    BUILT.parent.mkdir(parents=True, exist_ok=True)
    with open(BUILT.parent / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not BUILT.is_file():
            _build()
    return BUILT


def command(port: int) -> list[str]:
    """A collector that takes OTLP over HTTP on 127.0.0.1:port and writes each span in full to its log."""
    config = (
        f'{{receivers: {{otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:{port}"}}}}}}}}, '
        "exporters: {debug: {verbosity: detailed}}, "
        "service: {telemetry: {metrics: {level: none}}, pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}}"
    )
    return [str(find()), "--config", f"yaml:{config}"]


def _build() -> None:
    print("building the OpenTelemetry Collector, once: some minutes", file=sys.stderr, flush=True)
    fresh = BUILT.with_suffix(".new")
    done = subprocess.run(
        ["go", "build", "-mod=readonly", "-trimpath", "-ldflags", "-s -w", "-o", fresh, "."],
        cwd=HERE,
        env=os.environ | {"GOFLAGS": "", "GOWORK": "off"},
        stderr=subprocess.PIPE,
        text=True,
    )
    if done.returncode:
        raise MissingTool(f"the OpenTelemetry Collector did not build:\n{done.stderr[-1500:]}")
    fresh.rename(BUILT)


if __name__ == "__main__":
    try:
        print(find())
    except MissingTool as exc:
        sys.exit(str(exc))
