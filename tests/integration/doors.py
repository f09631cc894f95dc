"""The service behind each of the three doors, on the embedded default, as a URL."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.copies.copy import ROOT
from twofold.emulators.lambda_host import LambdaHost
from twofold.emulators.process import free_port, serving

DOORS = ("local", "lambda", "functions")
UNLIMITED = {f"TWOFOLD_LIMIT_{kind}": "" for kind in ("READS", "WRITES", "ANONYMOUS")}
"""Settings of a service that is asked more often than a subject or an address may."""


@contextmanager
def door(name: str, folder: Path) -> Iterator[str]:
    """Serves this repository's service, with a store and an issuer of its own in `folder`, and without limits."""
    for file in ("api", "function_app.py", "lambda_function.py", "host.json"):
        (folder / file).symlink_to(ROOT / file)
    if name == "lambda":
        host = LambdaHost(folder, UNLIMITED)
        try:
            yield host.url
        finally:
            host.close()
        return
    port = free_port()
    commands = {
        "local": [sys.executable, "-m", "twofold.cli.main", "run", "--port", str(port)],
        "functions": [sys.executable, str(ROOT / "twofold/emulators/functions_host.py"), ".", str(port)],
    }
    environ = {"PYTHONPATH": os.pathsep.join(map(str, (folder, ROOT))), **UNLIMITED}
    with serving(commands[name], port, environ, folder=folder) as url:
        yield url
