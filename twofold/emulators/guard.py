"""Ends a process's children when it can't any more, since it was killed: as a script, the guard that it starts for that.

The guard reads `+<pid>` and `-<pid>` from standard input, and kills the groups of those that are left when that ends.
"""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from functools import cache
from typing import IO


@cache
def _guard() -> IO[bytes]:
    # A session of its own, and nothing of the terminal: whoever waits for the output's end does not wait for the guard.
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", __file__], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        bufsize=0, start_new_session=True,
    )  # fmt: skip
    process.returncode = 0  # it outlives this process, and nobody asks how it ended
    assert process.stdin is not None
    return process.stdin


def watch(pid: int) -> None:
    """Lets the process group of `pid` end with this process, however that ends."""
    _tell(f"+{pid}\n")


def release(pid: int) -> None:
    """The opposite of `watch`: the group has ended, and its number may become another's."""
    _tell(f"-{pid}\n")


def _tell(line: str) -> None:
    with suppress(BrokenPipeError):  # somebody killed it
        _guard().write(line.encode())  # at once, being short: threads may tell it at the same time


def _main() -> None:
    watched: set[int] = set()
    for line in sys.stdin:
        (watched.add if line[0] == "+" else watched.discard)(int(line[1:]))
    for pid in watched:
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


if __name__ == "__main__":
    _main()
