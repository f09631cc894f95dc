"""`python -m bench.program`: how long the program of `pulumi preview` takes, for each file of stacks/config.

Each in a process of its own, on the real engine and the stand-in providers: once as after a change, when the artifact is built,
then three times as always, the median; below 2.5 s of processor time is the aim. Timed are the program's imports, before
anything else could share them, and its run, in which the engine takes and answers each resource: that waiting is in the
seconds on the clock, the stand-ins' own work in those of the processor. Not timed is the start of Python. Byte code of
the modules is kept, as Python does unless told otherwise, and written in a run before.
"""

import contextlib
import importlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

ROOT = Path(__file__).parents[1]
AIM_SECONDS = 2.5
RUNS = 3


def measure(stack: str) -> None:
    """Prints wall and processor seconds of one stack's program."""
    took = [0.0, 0.0]

    @contextlib.contextmanager
    def timed() -> Iterator[None]:
        begun = time.perf_counter(), time.process_time()
        yield
        took[0] += time.perf_counter() - begun[0]
        took[1] += time.process_time() - begun[1]

    with timed():
        main = importlib.import_module("stacks.program").main
        importlib.import_module(f"stacks.{stack.rpartition('-')[2]}")

    def program() -> None:
        with timed():
            main()

    from tests.engine.engine import Engine
    from tests.stacks.test_environments import file_config

    with tempfile.TemporaryDirectory() as folder:
        config = file_config(ROOT / f"stacks/config/Pulumi.{stack}.yaml")
        engine = Engine(Path(folder), stack, config, program)
        engine.preview()
        engine.close()
    print(json.dumps(took))


def run(stack: str) -> tuple[float, float]:
    """Wall and processor seconds of a stack's program in a fresh process."""
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-m", "bench.program", stack]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=True)  # noqa: S603
    wall, processor = json.loads(done.stdout.splitlines()[-1])
    return wall, processor


def main() -> None:
    """Measures every stack, and prints."""
    table = Table("stack", "clock", "processor", "clock, built", "processor, built", f"below {AIM_SECONDS}")
    paths = sorted((ROOT / "stacks/config").glob("Pulumi.*.yaml"))
    for path in track(paths, "programs", console=Console(stderr=True)):
        stack = path.stem.removeprefix("Pulumi.")
        run(stack)
        for last in (ROOT / ".build").glob("*.last"):
            last.unlink()
        built = run(stack)
        wall, processor = map(statistics.median, zip(*(run(stack) for _ in range(RUNS)), strict=True))
        row = (f"{seconds:.2f}" for seconds in (wall, processor, *built))
        table.add_row(stack, *row, "yes" if processor < AIM_SECONDS else "no")
    Console().print(table)


if __name__ == "__main__":
    measure(sys.argv[1]) if len(sys.argv) > 1 else main()
