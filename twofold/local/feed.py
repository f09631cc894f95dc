"""The embedded feed: commits in the order in which they were written, and a cursor in the same file."""

from twofold.local.database import Database
from twofold.local.document_store import COLUMNS, SQLiteDriver, document_of
from twofold.portable.document_store import Document, DocumentDriver
from twofold.portable.event_store import EVENTS

CURSOR = "feed"


class LocalFeed:
    """What was written to the collection `events`, from a cursor on. SQLite has one writer, so `seq` has no late comers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def of(cls, driver: DocumentDriver) -> "LocalFeed":
        """The feed of an embedded store's driver."""
        if not isinstance(driver, SQLiteDriver):
            raise TypeError(f"{type(driver).__name__} has no local feed")
        return cls(driver.database)

    async def changes(self, after: int, limit: int) -> list[tuple[int, Document]]:
        """Up to `limit` documents written after `after`, each with its number, in order."""
        rows = await self._database.run(
            lambda connection: connection.execute(
                f"SELECT seq, {COLUMNS} FROM documents WHERE collection = ? AND seq > ? ORDER BY seq LIMIT ?",  # noqa: S608 - constants
                (EVENTS, after, limit),
            ).fetchall()
        )
        return [(row[0], document_of(row[1:])) for row in rows]

    async def cursor(self) -> int:
        """Where the consumers of this file are; 0 at the beginning."""
        row = await self._database.run(
            lambda connection: connection.execute("SELECT seq FROM cursors WHERE name = ?", (CURSOR,)).fetchone()
        )
        return int(row[0]) if row else 0

    async def advance(self, seq: int) -> None:
        """Moves the cursor, once everything up to `seq` has been consumed."""
        await self._database.run(
            lambda connection: connection.execute("REPLACE INTO cursors (name, seq) VALUES (?, ?)", (CURSOR, seq))
        )
