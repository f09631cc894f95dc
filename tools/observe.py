"""`make observe`: the service with `/metrics`, and beside it a Prometheus that scrapes it, both on loopback, until Ctrl-C.

The graphs' addresses are printed. What Prometheus keeps lies under `.data/prometheus`.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tools.prometheus import find
from twofold.emulators.cache import MissingTool

ROOT = Path(__file__).parents[1]
GRAPHS = {
    "requests a second, by route": "sum by (route) (rate(http_server_request_duration_seconds_count[1m]))",
    "p95 of their duration": "histogram_quantile(0.95, sum by (le) (rate(http_server_request_duration_seconds_bucket[1m])))",
    "messages that wait": "twofold_queue_depth",
    "lag of consumers": "histogram_quantile(0.95, sum by (le, consumer) (rate(twofold_consumer_lag_seconds_bucket[1m])))",
}


def prometheus(port: int, service: int, folder: Path) -> list[str]:
    """The command that scrapes the service on `service` and answers on `port`, both on 127.0.0.1."""
    folder.mkdir(parents=True, exist_ok=True)
    stated = (ROOT / "observe/prometheus.yml").read_text()
    config = folder / "prometheus.yml"
    config.write_text(stated.replace("127.0.0.1:8000", f"127.0.0.1:{service}"))
    shutil.copy(ROOT / "observe/rules.yml", folder)  # beside it: the alerts' page shows where they are
    return [
        str(find()), f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}", "--log.level=error",
        f"--web.listen-address=127.0.0.1:{port}", "--storage.tsdb.retention.time=7d",
    ]  # fmt: skip


def graph(port: int, expression: str) -> str:
    """The address of an expression's graph of the last quarter of an hour."""
    query = urllib.parse.urlencode({"g0.expr": expression, "g0.tab": 0, "g0.range_input": "15m"})
    return f"http://127.0.0.1:{port}/graph?{query}"


def alerts(port: int) -> str:
    """The page of the alerts: Debian's build has Prometheus' earlier pages alone, under `/classic`."""
    url = f"http://127.0.0.1:{port}/alerts"
    try:
        with urllib.request.urlopen(url, timeout=5):
            return url
    except urllib.error.HTTPError:
        return f"http://127.0.0.1:{port}/classic/alerts"


def wait_for(url: str, process: "subprocess.Popen[bytes]", seconds: float = 30) -> None:
    """Until the address answers. Raises RuntimeError when the process ends, or not within the time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - our own loopback address
                return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.2)
    raise RuntimeError(f"{url} does not answer")


def main() -> None:
    """Runs both; ends both when one ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8000, help="the service's")
    parser.add_argument("--prometheus-port", type=int, default=9090)
    parser.add_argument("--data", type=Path, default=Path(".data/prometheus"), help="where Prometheus keeps its data")
    asked = parser.parse_args()
    for end in (signal.SIGINT, signal.SIGTERM):  # also where a shell's background job ignores them
        signal.signal(end, signal.default_int_handler)
    command = prometheus(asked.prometheus_port, asked.port, asked.data)
    environ = os.environ | {"TWOFOLD_METRICS_URL": "prometheus:"}
    service = subprocess.Popen(
        [Path(sys.executable).with_name("twofold"), "run", "--port", str(asked.port)], env=environ
    )
    watching = subprocess.Popen(command)
    try:
        wait_for(f"http://127.0.0.1:{asked.port}/metrics", service)
        wait_for(f"http://127.0.0.1:{asked.prometheus_port}/-/ready", watching)
        print(f"alerts  {alerts(asked.prometheus_port)}")
        for title, expression in GRAPHS.items():
            print(f"{title}  {graph(asked.prometheus_port, expression)}", flush=True)
        while service.poll() is None and watching.poll() is None:
            time.sleep(0.5)
    except KeyboardInterrupt:
        pass
    finally:
        for process in (watching, service):
            process.terminate()
        for process in (watching, service):
            process.wait(20)


if __name__ == "__main__":
    try:
        main()
    except (MissingTool, RuntimeError) as exc:
        sys.exit(f"observe: {exc}")
