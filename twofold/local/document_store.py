"""The embedded document store: a SQLite file."""

import json
import secrets
import sqlite3
from collections.abc import Sequence

from twofold.errors import Conflict
from twofold.local.database import Database, database_of
from twofold.portable.document_store import Check, Condition, Delete, Document, Put, Write

COLUMNS = "partition, id, body, version, expires_at"
SCANNED = 500


def from_url(url: str) -> "SQLiteDriver":
    """The driver of `sqlite:///<path>`; touches no file before its first use."""
    return SQLiteDriver(database_of(url))


class SQLiteDriver:
    """Documents in one table, keys as UTF-8 bytes so that they sort as on the clouds. `seq` orders the feed."""

    system = "sqlite"

    def __init__(self, database: Database) -> None:
        self.database = database

    async def get(self, collection: str, partition: str, document_id: str, *, now: int) -> Document | None:
        """See `DocumentDriver`."""
        return await self.database.run(lambda connection: _get(connection, collection, partition, document_id, now))

    async def query(
        self, collection: str, partition: str, *, start: str | None, end: str | None, after: str | None,
        limit: int, descending: bool, now: int,
    ) -> tuple[Document, ...]:  # fmt: skip
        """See `DocumentDriver`."""
        where = ["collection = ?", "partition = ?", "(expires_at IS NULL OR expires_at > ?)"]
        values: list[object] = [collection, partition.encode(), now]
        for bound, test in ((start, "id >= ?"), (end, "id < ?"), (after, "id < ?" if descending else "id > ?")):
            if bound is not None:
                where.append(test)
                values.append(bound.encode())
        order = "DESC" if descending else "ASC"
        statement = f"SELECT {COLUMNS} FROM documents WHERE {' AND '.join(where)} ORDER BY id {order} LIMIT ?"  # noqa: S608 - no value is in the text
        rows = await self.database.run(lambda connection: connection.execute(statement, [*values, limit]).fetchall())
        return tuple(document_of(row) for row in rows)

    async def scan(
        self, collection: str, *, prefix: str, document_id: str | None, cursor: str | None, now: int
    ) -> tuple[Sequence[Document], str | None]:
        """See `DocumentDriver`."""
        where = "collection = ? AND substr(partition, 1, ?) = ? AND seq > ? AND (expires_at IS NULL OR expires_at > ?)"
        values: list[object] = [collection, len(prefix.encode()), prefix.encode(), int(cursor or 0), now]
        if document_id is not None:
            where, values = f"{where} AND id = ?", [*values, document_id.encode()]
        statement = f"SELECT seq, {COLUMNS} FROM documents WHERE {where} ORDER BY seq LIMIT {SCANNED}"  # noqa: S608 - no value is in the text
        rows = await self.database.run(lambda connection: connection.execute(statement, values).fetchall())
        return [document_of(row[1:]) for row in rows], str(rows[-1][0]) if len(rows) == SCANNED else None

    async def commit(self, collection: str, partition: str, writes: Sequence[Write], *, now: int) -> list[str | None]:
        """See `DocumentDriver`."""
        return await self.database.run(
            lambda connection: [_write(connection, collection, partition, write, now) for write in writes]
        )

    async def ping(self) -> None:
        """See `DocumentDriver`."""
        await self.database.run(lambda connection: connection.execute("SELECT 1").fetchone())

    async def close(self) -> None:
        """See `DocumentDriver`."""
        await self.database.close()


def document_of(row: Sequence[object]) -> Document:
    """A row of `COLUMNS` as a Document."""
    partition, document_id, body, version, expires_at = row
    assert isinstance(partition, bytes) and isinstance(document_id, bytes) and isinstance(body, str)
    assert isinstance(version, str) and (expires_at is None or isinstance(expires_at, int))
    return Document(partition.decode(), document_id.decode(), json.loads(body), version, expires_at)


def _get(
    connection: sqlite3.Connection, collection: str, partition: str, document_id: str, now: int
) -> Document | None:
    row = connection.execute(
        f"SELECT {COLUMNS} FROM documents WHERE collection = ? AND partition = ? AND id = ?"  # noqa: S608 - constants
        " AND (expires_at IS NULL OR expires_at > ?)",
        (collection, partition.encode(), document_id.encode(), now),
    ).fetchone()
    return document_of(row) if row else None


def _write(connection: sqlite3.Connection, collection: str, partition: str, write: Write, now: int) -> str | None:
    _require(connection, collection, partition, write.id, write.condition, now)
    key = (collection, partition.encode(), write.id.encode())
    match write:
        case Check():
            return None
        case Delete():
            connection.execute("DELETE FROM documents WHERE collection = ? AND partition = ? AND id = ?", key)
            return None
        case Put():
            version = secrets.token_hex(12)
            body = json.dumps(write.body, ensure_ascii=False, separators=(",", ":"))
            # REPLACE gives the row a new seq, so that the feed sees the write.
            connection.execute(
                "REPLACE INTO documents (collection, partition, id, body, version, expires_at) VALUES (?, ?, ?, ?, ?, ?)",
                (*key, body, version, write.expires_at),
            )
            return version


def _require(
    connection: sqlite3.Connection, collection: str, partition: str, document_id: str, condition: Condition, now: int
) -> None:
    if condition.kind == "any":
        return
    document = _get(connection, collection, partition, document_id, now)
    if (document.version if document else None) != condition.version:
        raise Conflict(partition, document_id)
