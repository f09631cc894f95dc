"""The programs that commands run and `doctor` looks for: one place says where each is, and what to do where it is not."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from twofold.errors import TwofoldError

GET_PULUMI = "curl -fsSL https://get.pulumi.com | sh"
ENGINES = ("docker", "podman")
INFO_SECONDS = 20
"""An engine that does not answer by then is none."""


class MissingProgram(TwofoldError):
    """`problem` says so in a sentence, and `command` helps."""

    def __init__(self, problem: str, command: str) -> None:
        super().__init__(f"{problem}; run: {command}")
        self.problem, self.command = problem, command


def pulumi(environ: Mapping[str, str] = os.environ, home: Path | None = None) -> str:
    """The Pulumi CLI's path. Raises MissingProgram."""
    if path := shutil.which("pulumi", path=environ.get("PATH", "")):
        return path
    own = (home or Path.home()) / ".pulumi/bin/pulumi"  # where its installer puts it
    if own.is_file():
        raise MissingProgram(f"the Pulumi CLI is {own}, which is not on PATH", 'export PATH="$HOME/.pulumi/bin:$PATH"')
    raise MissingProgram("the Pulumi CLI is not on PATH", GET_PULUMI)


def engine(environ: Mapping[str, str] = os.environ) -> str:
    """The path of the first container engine that answers. Raises MissingProgram."""
    paths = [path for name in ENGINES if (path := shutil.which(name, path=environ.get("PATH", "")))]
    if path := next((path for path in paths if _answers(path, environ)), None):
        return path
    if paths:
        raise MissingProgram(f"no container engine answers ({', '.join(paths)}): it is not started", f"{paths[0]} info")
    raise MissingProgram(f"no container engine is on PATH ({', '.join(ENGINES)})", "apt-get install podman")


def _answers(path: str, environ: Mapping[str, str]) -> bool:
    try:
        done = subprocess.run([path, "info"], env={**environ}, capture_output=True, timeout=INFO_SECONDS)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
