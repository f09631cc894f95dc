"""Many commands as a user types them, in one process of the service's folder: each start of one takes a second and more."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.copies.copy import ROOT

SCRIPT = """
import contextlib, io, json, sys
from twofold.cli.main import main
found = []
for arguments in json.loads(sys.argv[1]):
    sys.argv, sys.stdin = ["twofold", *arguments], io.StringIO("value")
    out, err, code = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as exc:
            code = exc.code or 0
    found.append([code, out.getvalue(), err.getvalue()])
print(json.dumps(found))
"""


@dataclass
class Outcome:
    """What a command said, and its exit code."""

    command: str
    code: int
    stdout: str
    stderr: str


def typed(folder: Path, *commands: str, **environ: str) -> list[Outcome]:
    """What they say, one after another, with `value` on standard input."""
    plain = {key: value for key, value in os.environ.items() if not key.startswith("TWOFOLD_")}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps([command.split() for command in commands])], cwd=folder,
        env=plain | {"COLUMNS": "160"} | environ, capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [Outcome(command, *outcome) for command, outcome in zip(commands, json.loads(done.stdout), strict=True)]


def service(folder: Path) -> Path:
    """A folder with this repository's service."""
    folder.mkdir()
    (folder / "api").symlink_to(ROOT / "api")
    return folder


def pulumi(folder: Path, outputs: dict[str, object]) -> dict[str, str]:
    """The environment in which a CLI in this folder says that every stack has these outputs."""
    folder.mkdir()
    (folder / "pulumi").write_text(f"#!/bin/sh\ncat <<'EOF'\n{json.dumps(outputs)}\nEOF\n")
    (folder / "pulumi").chmod(0o755)
    return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
