"""`twofold dev` in a folder with a copy of the service, on pipes or on a terminal of its own."""

import contextlib
import fcntl
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path

import httpx

from tests.copies.copy import ROOT
from tests.integration.tokens import bearer

TWOFOLD = Path(sys.executable).with_name("twofold")
WAIT = 150


class Development:
    """`output` is what it has said so far; with `terminal` it has one, which is the file descriptor of that name."""

    def __init__(self, folder, cloud, *options, terminal=False, before=lambda folder: None, **environ):
        self.folder, self.cloud = folder, cloud
        shutil.copytree(ROOT / "api", folder / "api", ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("function_app.py", "lambda_function.py", "host.json"):
            shutil.copy(ROOT / name, folder)
        (folder / ".data/secrets").mkdir(parents=True)
        (folder / ".data/secrets/payment-api-key").write_text("k")
        before(folder)
        words = [TWOFOLD, "dev", "--cloud", cloud, "--port", "0", *options]
        self.terminal, end = os.openpty() if terminal else os.pipe()
        own = (
            {"start_new_session": True, "preexec_fn": lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0)} if terminal else {}
        )
        self.process = subprocess.Popen(
            words, cwd=folder, env=os.environ | {"COLUMNS": "200"} | environ, stdin=end if terminal else subprocess.DEVNULL,
            stdout=end, stderr=end, **own,
        )  # fmt: skip
        os.close(end)
        self.output, self._written, self._hung_up = "", 0, False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.url = self.says(r"its docs are at +(http://127\.0\.0\.1:\d+)/docs")[1]
        self.client = httpx.Client(base_url=self.url, headers=bearer(folder), timeout=WAIT)

    def _read(self):
        with contextlib.suppress(OSError):  # of a terminal that has ended
            while not self._hung_up:
                if select.select([self.terminal], [], [], 0.1)[0]:
                    if not (data := os.read(self.terminal, 65536)):
                        return
                    self.output += data.decode(errors="replace").replace("\r\n", "\n")

    def hang_up(self):
        """Closes its terminal, which nobody may read meanwhile: it would stay open for them."""
        self._hung_up = True
        self._reader.join()
        os.close(self.terminal)

    def says(self, pattern, timeout=WAIT):
        """Waits until something like this was said since the last change."""
        deadline = time.monotonic() + timeout
        while not (match := re.search(pattern, self.output[self._written :])):
            assert self.process.poll() is None and time.monotonic() < deadline, self.output[-3000:]
            time.sleep(0.02)
        return match

    def heard(self):
        """From now on `says` looks only at what comes."""
        self._written = len(self.output)

    def write(self, name, old, new):
        """Replaces text in a file as an editor does."""
        path = self.folder / name
        text = path.read_text()
        assert old in text
        self.heard()
        path.write_text(text.replace(old, new))

    def version(self):
        """As its document has it; none while it ends, or does not start."""
        try:
            answer = self.client.get("/openapi.json")
        except httpx.TransportError:
            return None
        return answer.json()["info"]["version"] if answer.status_code == 200 else None

    def processes(self):
        """The numbers of those that it has started, and of those that these have."""
        return descendants(self.process.pid)

    def serving(self):
        """Of these the service's own, with the one that waits for the next start."""
        word = {"local": " run ", "azure": "functions_host.py", "aws": "awslambdaric"}[self.cloud]
        return {one for one in self.processes() if word in command(one)}

    def ports(self):
        """The numbers of the loopback ports in its output."""
        return {int(port) for port in re.findall(r"(?:127\.0\.0\.1|localhost):(\d+)", self.output)}

    def end(self):
        self.client.close()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


def descendants(parent):
    children = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            number, _, rest = stat.read_text().partition(" (")
        except OSError:  # it has just ended
            continue
        children.setdefault(int(rest.rpartition(") ")[2].split()[1]), []).append(int(number))
    numbers = [parent]
    for number in numbers:
        numbers += children.get(number, ())
    return set(numbers[1:])


def command(number):
    """How a process was started; empty when there is none."""
    try:
        return Path(f"/proc/{number}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def alive(numbers):
    """Those that have not ended, zombies apart."""

    def state(number):
        try:
            return Path(f"/proc/{number}/stat").read_text().rpartition(") ")[2][0]
        except OSError:
            return "X"

    return {number for number in numbers if state(number) not in "XZ"}


def taken(ports):
    """Those that something listens on."""

    def listens(port):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    return {port for port in ports if listens(port)}
