"""The files that the edge serves under `/static/`: what they are, and how long browsers and the edge may keep each."""

import hashlib
import mimetypes
import re
from dataclasses import dataclass
from pathlib import Path

from twofold.deploy.config import ConfigError
from twofold.response_headers import HEADERS, PAGE_POLICY

PREFIX = "static"
"""Under which path the edge serves them; the bucket's or container's files lie under the same one."""
SECURITY_HEADERS: dict[str, str] = {
    **{name.decode(): value.decode() for name, value in HEADERS if name != b"cache-control"},
    "content-security-policy": PAGE_POLICY.decode(),
}
"""What the edge adds to each file: the service's own, apart from `no-store`."""
FOREVER = "public, max-age=31536000, immutable"
FIVE_MINUTES = "public, max-age=300"
HASHED = re.compile(r"[.-](?=[0-9a-f]*[0-9])(?=[0-9a-f]*[a-f])[0-9a-f]{8,}\.")
"""A name with a hash of its content, like `app.3f9a1c2b.js`: eight or more hexadecimal digits, so that no date or word is one."""
TYPES = {
    ".map": "application/json",
    ".otf": "font/otf",
    ".ttf": "font/ttf",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
}
"""What Python's own table lacks. The machine's tables are not asked: the same files are the same everywhere."""
COMPRESSED = (
    "application/javascript", "application/json", "application/manifest+json", "application/wasm", "application/xml",
    "font/otf", "font/ttf", "image/svg+xml", "text/css", "text/csv", "text/html", "text/javascript", "text/markdown",
    "text/plain", "text/xml",
)  # fmt: skip
"""Media types that Front Door compresses; CloudFront has a list of its own."""


@dataclass(frozen=True, slots=True)
class File:
    """A file: its name below `/static/`, the SHA-256 of its bytes, and the headers that it is served with."""

    name: str
    digest: str
    content_type: str
    cache_control: str


@dataclass(frozen=True, slots=True)
class Content:
    """A folder's files, sorted by name. Where the folder lies on this machine is no part of what is deployed."""

    folder: Path
    files: tuple[File, ...]


def content(root: Path, folder: str) -> Content | None:
    """What lies in `folder` of the project at `root`, None without a folder. Hidden files and folders are left out.

    Raises ConfigError for a folder that is missing or empty, and for a link: it could bring in what nobody meant to publish.
    """
    if not folder:
        return None
    top = root / folder
    if not top.is_dir():
        raise ConfigError(
            f"twofold:static is {folder!r}, but {top} is no folder: build the files first, or leave the key out"
        )
    files = []
    for path in sorted(top.rglob("*")):
        name = path.relative_to(top)
        if any(part.startswith(".") for part in name.parts):
            continue
        if path.is_symlink():
            raise ConfigError(f"twofold:static: {path} is a link; put the file itself there")
        if path.is_file():
            files.append(_file(name.as_posix(), path))
    if not files:
        raise ConfigError(
            f"twofold:static is {folder!r}, but {top} has no files: build them first, or leave the key out"
        )
    return Content(top, tuple(files))


def _file(name: str, path: Path) -> File:
    kind, packed = mimetypes.MimeTypes().guess_type(name)
    kind = TYPES.get(path.suffix.lower()) or (not packed and kind) or "application/octet-stream"
    if kind.startswith("text/"):
        kind += "; charset=utf-8"
    cache_control = FOREVER if HASHED.search(path.name) else FIVE_MINUTES
    return File(name, hashlib.sha256(path.read_bytes()).hexdigest(), kind, cache_control)
