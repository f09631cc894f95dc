"""One SQLite file for the embedded default: write-ahead log, every commit on disk before it is acknowledged."""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
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

MAX_TOGETHER = 100
"""So many calls go to disk together at most: a bound on how long the first of them waits."""


class Database:
    """The file, opened at the first use. Calls run one after another on a thread of their own, never on the event loop.

    What waits while the disk is written goes into one transaction and onto the disk together, each call in a savepoint of its
    own: so many calls at once cost few writes. Several processes may share the file. An acknowledged write survives the death
    of the process and of the machine (`synchronous=FULL`). Raises `StoreUnavailable` when the file can't be opened or stays
    locked for 10 seconds.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.users = 1
        self._connection: sqlite3.Connection | None = None
        self._closed = False
        self._waiting: deque[_Call] = deque()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite")

    async def run[T](self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Runs `work` as a whole or, when it raises, not at all; what it returns is on disk by then."""
        loop = asyncio.get_running_loop()
        call = _Call(work, loop.create_future(), loop)
        self._waiting.append(call)
        self._thread.submit(self._transact)
        result: T = await call.future
        return result

    async def close(self) -> None:
        """Closes the file when its last user does; what is queued ends first. Closing it again does nothing."""
        self.users -= 1
        if self._closed or self.users > 0:
            return
        self._closed = True
        _open_files.pop(self.path, None)
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown(wait=False)

    def _transact(self) -> None:
        calls = [self._waiting.popleft() for _ in range(min(len(self._waiting), MAX_TOGETHER))]
        if not calls:
            return  # an earlier transaction took them along
        outcomes: list[_Outcome]
        try:
            connection = self._connection or self._open()
            connection.execute("BEGIN IMMEDIATE")
            try:
                outcomes = [self._attempt(connection, call.work) for call in calls]
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
        except (sqlite3.Error, StoreUnavailable) as exc:
            outcomes = [_Outcome(None, self._unavailable(exc)) for _ in calls]
        for call, outcome in zip(calls, outcomes, strict=True):
            with suppress(RuntimeError):  # its event loop is closed
                call.loop.call_soon_threadsafe(call.settle, outcome)

    def _attempt(self, connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], Any]) -> "_Outcome":
        connection.execute("SAVEPOINT one")
        try:
            outcome = _Outcome(work(connection), None)
        except Exception as exc:
            connection.execute("ROLLBACK TO one")
            outcome = _Outcome(None, self._unavailable(exc) if isinstance(exc, sqlite3.Error) else exc)
        connection.execute("RELEASE one")
        return outcome

    def _unavailable(self, exc: Exception) -> StoreUnavailable:
        failure = exc if isinstance(exc, StoreUnavailable) else StoreUnavailable(f"SQLite file {self.path}: {exc}")
        failure.__cause__ = exc if failure is not exc else None
        return failure

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


@dataclass(frozen=True, slots=True)
class _Outcome:
    result: Any
    failure: Exception | None


@dataclass(frozen=True, slots=True)
class _Call:
    work: Callable[[sqlite3.Connection], Any]
    future: "asyncio.Future[Any]"
    loop: asyncio.AbstractEventLoop

    def settle(self, outcome: _Outcome) -> None:
        if self.future.done():  # who waited was cancelled
            return
        if outcome.failure is None:
            self.future.set_result(outcome.result)
        else:
            self.future.set_exception(outcome.failure)


_open_files: dict[Path, Database] = {}


def database_of(url: str) -> Database:
    """The database of a `sqlite:///<path>` URL: one for all its users in this process, who close it each."""
    path = Path(urlsplit(url).path.removeprefix("/")).absolute()
    if path in _open_files:
        _open_files[path].users += 1
    else:
        _open_files[path] = Database(path)
    return _open_files[path]
