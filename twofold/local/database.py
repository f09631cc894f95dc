"""One SQLite file for the embedded default: write-ahead log, every commit on disk before it is acknowledged."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

from twofold.errors import StoreUnavailable

SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    collection TEXT NOT NULL, partition BLOB NOT NULL, id BLOB NOT NULL,
    body TEXT NOT NULL, version TEXT NOT NULL, expires_at INTEGER
);
CREATE UNIQUE INDEX IF NOT EXISTS documents_key ON documents (collection, partition, id);
CREATE INDEX IF NOT EXISTS documents_feed ON documents (collection, seq);
CREATE TABLE IF NOT EXISTS messages (
    receipt TEXT PRIMARY KEY, queue TEXT NOT NULL, visible_at REAL NOT NULL, body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS messages_due ON messages (queue, visible_at);
CREATE TABLE IF NOT EXISTS cursors (name TEXT PRIMARY KEY, seq INTEGER NOT NULL);
"""


class Database:
    """The file, opened at the first use. Calls run one after another on a thread of their own, never on the event loop.

    Several processes may share the file. An acknowledged write survives the death of the process and of the machine
    (`synchronous=FULL`). Raises `StoreUnavailable` when the file can't be opened or stays locked for 10 seconds.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection: sqlite3.Connection | None = None
        self._closed = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite")

    async def run[T](self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Runs `work` in one transaction: committed when it returns, rolled back when it raises."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._transact, work)

    async def close(self) -> None:
        """Closes the file; what is queued ends first. Closing it again does nothing."""
        if self._closed:
            return
        self._closed = True
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown(wait=False)

    def _transact[T](self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            connection = self._connection or self._open()
            connection.execute("BEGIN IMMEDIATE")
            try:
                result = work(connection)
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
            return result
        except sqlite3.Error as exc:
            raise StoreUnavailable(f"SQLite file {self.path}: {exc}") from exc

    def _open(self) -> sqlite3.Connection:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise StoreUnavailable(f"can't make {self.path.parent}: {exc}") from exc
        connection = sqlite3.connect(self.path, timeout=10, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.executescript(SCHEMA)
        self._connection = connection
        return connection

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def database_of(url: str) -> Database:
    """The database of a `sqlite:///<path>` URL."""
    return Database(Path(urlsplit(url).path.removeprefix("/")))
