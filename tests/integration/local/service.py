"""Runs `twofold run` as a user does: a process of its own, a folder of its own for `.data/`."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx

from tests.integration.tokens import bearer

ROOT = Path(__file__).parents[3]


class Service:
    """One running service. `folder` stands for the checkout: `api` is linked into it, `.data/` is made in it."""

    def __init__(self, folder: Path, **environ: str) -> None:
        self.folder, self._environ = folder, environ
        if not (folder / "api").exists():
            (folder / "api").symlink_to(ROOT / "api")
        self.start()

    def start(self) -> None:
        environ = {key: value for key, value in os.environ.items() if not key.startswith("TWOFOLD_")} | self._environ
        log = self.folder / "stderr.log"
        with open(log, "ab") as stderr:  # a pipe that nobody reads fills, and the service would wait
            self.process = subprocess.Popen(
                [Path(sys.executable).with_name("twofold"), "run", "--port", "0"],
                cwd=self.folder, env=environ, stdout=subprocess.PIPE, stderr=stderr, text=True,
            )  # fmt: skip
        line = self.process.stdout.readline()
        url = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert url, f"no URL in {line!r}: {log.read_text()[-2000:]}"
        self.url = url[0]
        self.announced = line + self.process.stdout.readline() + self.process.stdout.readline()

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.url, headers=bearer(self.folder), timeout=20)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=10)

    def terminate(self, timeout: float) -> int:
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=timeout)
        return self.process.returncode
