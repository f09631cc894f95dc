"""A copy of the tree to change, and what is run in it: with the copy's own kit, by this environment's Python."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.emulators.tool import needing
from tools import pulumi_cli

ROOT = Path(__file__).parents[2]


class Copy:
    """The tree without what git ignores, in a folder. `run` fails the test with the output when the command fails.

    `built` brings along the artifacts that the tree has: the kit builds anew what is not of the same inputs.
    """

    def __init__(self, folder: Path, *, built: bool = False) -> None:
        self.folder = folder
        ignored = [line.rstrip("/") for line in (ROOT / ".gitignore").read_text().splitlines()]
        shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(".git", *ignored), dirs_exist_ok=True)
        if built:
            share_artifacts(folder)

    def write(self, name: str, text: str) -> None:
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text)

    def replace(self, name: str, old: str, new: str) -> None:
        text = (self.folder / name).read_text()
        assert old in text, f"{name} has no {old!r}"
        self.write(name, text.replace(old, new))

    def run(self, *command: str) -> str:
        return run(self.folder, *command)

    def deploy(self, cloud: str, state: Path):
        return deploy(self.folder, cloud, state)


def share_artifacts(folder: Path) -> None:
    """Copies the last artifact of each cloud, with the digest of its inputs, if the tree has built it."""
    (folder / ".build").mkdir(exist_ok=True)
    for last in (ROOT / ".build").glob("*.last"):
        digest = last.read_text().split()[-1:]
        for artifact in (ROOT / ".build").glob(f"{last.stem}-{''.join(digest)[:16]}.zip"):
            shutil.copy(artifact, folder / ".build")
            shutil.copy(last, folder / ".build")


def run(folder: Path, *command: str, **environ: str) -> str:
    """The command's output, run by this Python with the folder's own packages before the repository's."""
    program = Path(sys.executable).with_name(command[0])
    done = subprocess.run(
        [str(program), *command[1:]],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder)} | environ,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{command}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def deploy(service: Path, cloud: str, state: Path):
    """What `tests.engine.deploy` prints; `service` needs no `tests` of its own for it."""
    needing(pulumi_cli.find)
    path = os.pathsep.join([str(service), str(ROOT)])
    return json.loads(
        run(service, "python", "-m", "tests.engine.deploy", str(service), cloud, str(state), PYTHONPATH=path)
    )
