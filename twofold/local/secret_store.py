"""The embedded vault: a folder with one file per secret, readable by its owner alone."""

import asyncio
import os
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from twofold.errors import SecretsUnavailable


def from_url(url: str) -> "FileSecretDriver":
    """The driver of `file:///<folder>`; touches nothing before its first use."""
    return FileSecretDriver(Path(urlsplit(url).path.removeprefix("/")))


class FileSecretDriver:
    """Files of mode 0600 in a folder of mode 0700, replaced atomically."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def get(self, name: str) -> str | None:
        """See `SecretDriver`."""
        return await asyncio.to_thread(self._read, name)

    async def set(self, name: str, value: str) -> None:
        """See `SecretDriver`."""
        await asyncio.to_thread(self._write, name, value)

    async def close(self) -> None:
        """See `SecretDriver`."""

    def _read(self, name: str) -> str | None:
        try:
            return (self._folder / name).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as exc:
            raise SecretsUnavailable(f"can't read secret {name!r} in {self._folder}: {exc}") from exc

    def _write(self, name: str, value: str) -> None:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=self._folder, prefix=".")  # mode 0600
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(value)
            os.replace(temporary, self._folder / name)
        except OSError as exc:
            raise SecretsUnavailable(f"can't write secret {name!r} in {self._folder}: {exc}") from exc
