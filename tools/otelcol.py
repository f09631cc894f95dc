"""An OpenTelemetry Collector: the one on PATH, else a build from the Go module proxy in the cache (once, some minutes).

`python tools/otelcol.py` prints its path. The sources in `tools/otelcol/` are what its own builder makes of the OTLP receiver and
the debug exporter.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tools import go
from twofold.emulators.cache import MissingTool

VERSION = "0.165.0"
HERE = Path(__file__).parent / "otelcol"


def find() -> Path:
    """The collector's path; MissingTool when there is none and none can be built."""
    return go.find("the OpenTelemetry Collector", "otelcol", VERSION, HERE, ".", takes="some minutes")


def command(port: int) -> list[str]:
    """A collector that takes OTLP over HTTP on 127.0.0.1:port and writes each span in full to its log."""
    config = (
        f'{{receivers: {{otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:{port}"}}}}}}}}, '
        "exporters: {debug: {verbosity: detailed}}, "
        "service: {telemetry: {metrics: {level: none}}, pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}}"
    )
    return [str(find()), "--config", f"yaml:{config}"]


if __name__ == "__main__":
    try:
        print(find())
    except MissingTool as exc:
        sys.exit(str(exc))
