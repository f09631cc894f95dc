"""A program of pinned Go modules: the one on PATH, else a build from the Go module proxy in the cache, once."""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

from twofold.emulators.cache import CACHE, MissingTool


def find(
    what: str, program: str, version: str, modules: Path, package: str, *, takes: str, flags: str = "-s -w"
) -> Path:
    """The program's path; MissingTool when there is none and none can be built. `flags` are the linker's."""
    if command := shutil.which(program):
        return Path(command)
    built = CACHE / f"{program}-{version}" / program
    if built.is_file():
        return built
    if not shutil.which("go"):
        raise MissingTool(f"{what} is not on PATH, and building it needs Go (`go` is not on PATH)")
    built.parent.mkdir(parents=True, exist_ok=True)
    with open(built.parent / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not built.is_file():
            print(f"building {what}, once: {takes}", file=sys.stderr, flush=True)
            _build(what, built, modules, package, flags)
    return built


def _build(what: str, built: Path, modules: Path, package: str, flags: str) -> None:
    fresh = built.with_suffix(".new")
    done = subprocess.run(
        ["go", "build", "-mod=readonly", "-trimpath", "-ldflags", flags, "-o", fresh, package],
        cwd=modules,
        env=os.environ | {"GOFLAGS": "", "GOWORK": "off"},
        stderr=subprocess.PIPE,
        text=True,
    )
    if done.returncode:
        raise MissingTool(f"{what} did not build:\n{done.stderr[-1500:]}")
    fresh.rename(built)
