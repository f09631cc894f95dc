"""What a service's processes say: shown with folded tracebacks, kept whole in a file, and told again in place of a service."""

import os
import select
import sys
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from twofold.emulators.traces import Folding
from twofold.errors import TwofoldError

KEPT_LINES = 60
MARK = b"\0"


class Output:
    """Processes write to `fd`: a terminal where this process has one, so that they write as they do on one."""

    def __init__(self, root: Path, log: Path, show: Callable[[str], object]) -> None:
        try:
            log.parent.mkdir(exist_ok=True)
            self._log, self._show = log.open("wb"), show
        except OSError as exc:
            raise TwofoldError(
                f"{log} can't be written: {exc.strerror}; {log.parent} has to be a folder of yours"
            ) from exc
        self._folding = Folding(root, f"whole in {log.relative_to(root)}")
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._read = threading.Event()
        if sys.stderr.isatty():
            import tty

            self._end, self.fd = os.openpty()
            tty.setraw(self.fd)
        else:
            self._end, self.fd = os.pipe()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def begin(self) -> None:
        """Forgets what was said so far."""
        self.tail()
        self._lines.clear()

    def tail(self) -> str:
        """The end of what was said since `begin`."""
        self._read.clear()
        os.write(self.fd, MARK + b"\n")
        self._read.wait(5)
        return "\n".join(self._lines).strip()

    def close(self) -> None:
        """Ends it, with all of it shown."""
        self.tail()
        os.close(self.fd)

    def _run(self) -> None:
        rest = b""
        while True:
            if self._folding.kept and not select.select([self._end], [], [], 0.3)[0]:
                self._tell(self._folding.flush())
            try:
                data = os.read(self._end, 65536)
            except OSError:  # a terminal's end
                data = b""
            if not data:
                break
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                if line == MARK:
                    self._tell(self._folding.flush())
                    self._read.set()
                else:
                    self._log.write(line + b"\n")
                    self._log.flush()
                    self._tell(self._folding.feed(line.decode(errors="replace")))
        os.close(self._end)
        self._log.close()

    def _tell(self, lines: list[str]) -> None:
        for line in lines:
            self._lines.append(line)
            with suppress(OSError):  # a terminal that has ended: the processes shall not wait for it
                self._show(line)
