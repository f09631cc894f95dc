"""What a stack has run and can run again: the same on both clouds, each in its own `releases.py`."""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from twofold.errors import TwofoldError


class ReleaseError(TwofoldError):
    """There is no such release, or it can't be had or brought back; the message says what runs now."""


@dataclass(frozen=True, slots=True)
class Release:
    """An artifact that a stack keeps: its digest, when it was last deployed, and which units run it now."""

    digest: str
    when: datetime
    live: tuple[str, ...]


class Releases(Protocol):
    """A stack's releases, by the login of whoever asks. Each call raises ReleaseError."""

    def read(self) -> list[Release]:
        """All of them, the one that was deployed last first."""
        ...

    def activate(self, digest: str) -> None:
        """Lets every unit run that release, or none: what was moved already is moved back when one fails."""
        ...

    def fetch(self, digest: str) -> bytes:
        """The artifact's bytes, which have that digest."""
        ...


def chosen(releases: list[Release], wanted: str | None) -> Release:
    """The release whose digest begins with `wanted`; without it, the one that was deployed before the live one."""
    if wanted is not None:
        matches = [one for one in releases if one.digest.startswith(wanted)]
        if len(matches) == 1:
            return matches[0]
        raise ReleaseError(
            f"{len(matches) or 'no'} releases have a digest that begins with {wanted!r}; {_known(releases)}"
        )
    live = [index for index, one in enumerate(releases) if one.live]
    if not live or live[0] + 1 == len(releases):
        raise ReleaseError(f"there is no release before the live one; name another with --to; {_known(releases)}")
    return releases[live[0] + 1]


def verified(data: bytes, digest: str, source: str) -> bytes:
    """The bytes. Raises ReleaseError when they are not those of the digest."""
    if hashlib.sha256(data).hexdigest() != digest:
        raise ReleaseError(f"what {source} has as {digest} has another digest: it was changed or is broken")
    return data


def write(path: Path, data: bytes) -> None:
    """Writes the file at once or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_bytes(data)
    os.replace(part, path)


def _known(releases: Iterable[Release]) -> str:
    return f"there are {', '.join(one.digest[:16] for one in releases) or 'none'}"
