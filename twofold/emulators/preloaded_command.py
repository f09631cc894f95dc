"""Python processes that have imported what takes long before they are wanted: a change is then live in tenths of a second.

`python -m twofold.emulators.preloaded_command MODULES COMMAND…` imports the modules, waits for a byte on standard
input, and is then what `python COMMAND…` would be. It ends when nobody can send that byte any more.
"""

import importlib
import runpy
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from twofold.emulators.process import kill, spawn


class PreloadedCommand:
    """Makes processes of one command, a script's path or `-m` and a module, with its arguments. `modules` must be none of
    those that change, and start no thread."""

    def __init__(
        self, modules: Sequence[str], command: Sequence[str], folder: Path, environ: Mapping[str, str],
        *, log: IO[str] | int | None = None, pass_fds: Sequence[int] = (),
    ) -> None:  # fmt: skip
        self._command = [sys.executable, "-m", __name__, ",".join(modules), *command]
        self._folder, self._environ, self._log, self._pass_fds = folder, environ, log, pass_fds
        self._prepared: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        """Starts the process that the next `take` returns."""
        if self._prepared is None or self._prepared.poll() is not None:  # somebody ended it
            self._prepared = spawn(
                self._command, cwd=self._folder, env=self._environ, stdin=subprocess.PIPE, stdout=self._log,
                stderr=self._log, pass_fds=self._pass_fds,
            )  # fmt: skip

    def take(self) -> subprocess.Popen[bytes]:
        """A process that runs the command from now on."""
        self.prepare()
        process, self._prepared = self._prepared, None
        assert process is not None and process.stdin is not None
        with suppress(OSError):  # it has ended, as its taker will see
            process.stdin.write(b"\n")
            process.stdin.close()
        return process

    def close(self) -> None:
        """Ends the prepared one."""
        if self._prepared is not None:
            kill(self._prepared)


def _main(modules: str, *command: str) -> None:
    for module in filter(None, modules.split(",")):
        with suppress(ImportError):
            importlib.import_module(module)
    if not sys.stdin.buffer.read(1):
        return
    sys.argv = list(command)
    if command[0] == "-m":
        sys.argv = list(command[1:])
        runpy.run_module(command[1], run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(command[0], run_name="__main__")


if __name__ == "__main__":
    _main(*sys.argv[1:])
