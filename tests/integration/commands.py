"""The `twofold` command as a stack's operator runs it."""

import os
import subprocess
import sys
from pathlib import Path

from tests.copies.copy import ROOT


def command(stack, cloud, *words, **options):
    """What it prints; the test fails with that when the command does."""
    done = subprocess.run(
        [Path(sys.executable).with_name("twofold"), *words, "--cloud", cloud, "--env", "dev"],
        cwd=ROOT, env=os.environ | stack.environ, capture_output=True, text=True, timeout=60, **options,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
