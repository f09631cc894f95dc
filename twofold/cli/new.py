"""`twofold new`: a service of your own, made of the template and of this kit's own entry files and stacks."""

import json
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from urllib.parse import unquote, urlsplit

from twofold import __version__
from twofold.errors import TwofoldError
from twofold.manifest import ServiceManifest

TEMPLATE = Path(__file__).parent / "template"
REPOSITORY = Path(__file__).parents[2]
SHARED = (
    "function_app.py", "lambda_function.py", "host.json", "requirements/aws.txt", "requirements/azure.txt",
    "Dockerfile.aws", "Dockerfile.azure", ".dockerignore",
    "__main__.py", "stacks/__init__.py", "stacks/program.py", "stacks/aws.py", "stacks/azure.py",
)  # fmt: skip
"""What every service has alike: in the wheel beside the template, in a checkout in its own place."""
DOTFILES = {"gitignore": ".gitignore", "python-version": ".python-version"}


class NewServiceError(TwofoldError):
    """The service can't be made there; nothing was written."""


def create(path: Path, service: str) -> list[str]:
    """Writes the service into `path` and returns its files. Raises NewServiceError when the folder is not empty.

    The kit's wheel comes along in `vendor/` when it was installed from a file: then no index is known to have it.
    """
    try:
        ServiceManifest(service, app="api.app:create_app")
    except ValueError as exc:
        raise NewServiceError(str(exc)) from None
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise NewServiceError(f"{path} is not empty; name a folder that is, or that does not exist yet")
    major, minor, _ = __version__.split(".")
    words = {
        "__SERVICE__": service,
        "__TITLE__": service.replace("-", " ").capitalize(),
        "__RANGE__": f">={__version__},<{major}.{int(minor) + 1}",
    }
    files = [file.relative_to(TEMPLATE).as_posix() for file in TEMPLATE.rglob("*") if file.is_file()]
    files = [file for file in files if "__pycache__" not in file]
    for file in sorted({*files, *SHARED}):
        source = TEMPLATE / file if file in files else REPOSITORY / file
        text = source.read_text()
        for word, value in words.items():
            text = text.replace(word, value)
        target = path / DOTFILES.get(file, file)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    _vendor(path)
    _openapi(path)
    return sorted(file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file())


def _vendor(path: Path) -> None:
    origin = json.loads(metadata.distribution("twofold").read_text("direct_url.json") or "{}")
    if not origin.get("url", "").startswith("file:"):
        return
    source = Path(unquote(urlsplit(origin["url"]).path))
    vendor = path / "vendor"
    vendor.mkdir()
    if source.is_file():
        shutil.copy(source, vendor)
    elif source.is_dir():  # a checkout
        _run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(vendor.resolve())], source)
    else:
        raise NewServiceError(f"the kit was installed from {source}, which is gone; install it again")


def _openapi(path: Path) -> None:
    _run([sys.executable, "-m", "twofold.cli.main", "openapi"], path)


def _run(command: list[str], folder: Path) -> None:
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True)  # noqa: S603 - our own arguments
    if result.returncode:
        raise NewServiceError(f"{' '.join(command[1:])} failed:\n{result.stderr[-1000:]}")
