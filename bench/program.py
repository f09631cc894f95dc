"""`python -m bench.program`: how long the program of `pulumi preview` takes, for each file of stacks/config.

Each in a process of its own, on the real engine and the stand-in providers; timed around the program, with its imports and the
artifact's build, without the engine. Seconds on the clock and of this process' processor time: the second tells more on a busy
machine. Below 2.5 s each is the aim.
"""

import json
import runpy
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[1]
AIM_SECONDS = 2.5


def measure(stack: str) -> None:
    """Prints wall and processor seconds of one stack's program."""
    from tests.engine.engine import Engine
    from tests.stacks.test_environments import file_config

    took: list[float] = []

    def program() -> None:
        begun = time.perf_counter(), time.process_time()
        runpy.run_path(str(ROOT / "stacks/__main__.py"), run_name="__main__")
        took.extend((time.perf_counter() - begun[0], time.process_time() - begun[1]))

    with tempfile.TemporaryDirectory() as folder:
        config = file_config(ROOT / f"stacks/config/Pulumi.{stack}.yaml")
        engine = Engine(Path(folder), stack, config, program)
        engine.preview()
        engine.close()
    print(json.dumps(took))


def main() -> None:
    """Measures every stack, and prints."""
    table = Table("stack", "seconds", "processor seconds", f"below {AIM_SECONDS}")
    for path in sorted((ROOT / "stacks/config").glob("Pulumi.*.yaml")):
        stack = path.stem.removeprefix("Pulumi.")
        command = [sys.executable, "-m", "bench.program", stack]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603
        wall, processor = json.loads(done.stdout.splitlines()[-1])
        table.add_row(stack, f"{wall:.2f}", f"{processor:.2f}", "yes" if min(wall, processor) < AIM_SECONDS else "no")
    Console().print(table)


if __name__ == "__main__":
    measure(sys.argv[1]) if len(sys.argv) > 1 else main()
