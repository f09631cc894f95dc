"""Checkov from PyPI, in an environment of its own in the cache: its pins are not ours. `python tools/checkov.py` makes it."""

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from twofold.emulators.cache import CACHE, MissingTool

LOCK = Path(__file__).parent / "checkov/requirements.txt"


def fetch() -> Path:
    """The environment's Python; MissingTool when the packages can't be had."""
    home = CACHE / f"checkov-{hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]}"
    if (home / "done").exists():
        return home / "bin/python"
    beside = Path(sys.executable).with_name("uv")
    uv = str(beside) if beside.is_file() else shutil.which("uv")
    if uv is None:
        raise MissingTool("Checkov is installed by `uv`, which is neither beside this Python nor on PATH")
    shutil.rmtree(home, ignore_errors=True)
    for command in (
        [uv, "venv", "-q", "--python", sys.executable, str(home)],
        [uv, "pip", "install", "-q", "--python", str(home / "bin/python"), "--require-hashes", "-r", str(LOCK)],
    ):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise MissingTool(f"uv failed to install Checkov:\n{done.stderr[-1500:]}")
    (home / "done").touch()
    return home / "bin/python"


def scan(document: dict[str, Any], framework: str) -> dict[str, list[dict[str, Any]]]:
    """`passed_checks` and `failed_checks` of a document, offline. Raises RuntimeError when it was not read whole."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "document.json"
        file.write_text(json.dumps(document, indent=1))
        done = subprocess.run(
            [
                str(fetch()), "-m", "checkov.main", "-f", str(file), "--framework", framework, "-o", "json", "--compact",
                "--skip-download",
            ],
            capture_output=True, text=True,
        )  # fmt: skip
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        raise RuntimeError(f"Checkov answered no JSON: {done.stdout[-500:]}{done.stderr[-1500:]}") from None
    if answer.get("summary", {}).get("parsing_errors") != 0:
        raise RuntimeError(f"Checkov could not read the document: {answer.get('summary', answer)}")
    results: dict[str, list[dict[str, Any]]] = answer["results"]
    return results


if __name__ == "__main__":
    try:
        print(fetch())
    except MissingTool as exc:
        sys.exit(str(exc))
