"""The embedded queue: a table in the SQLite file. Nothing that `send` acknowledged is lost by a crash."""

import secrets
import sqlite3
import time
from collections.abc import Callable, Sequence

from twofold.errors import QueueUnavailable, StoreUnavailable
from twofold.local.database import Database, database_of
from twofold.portable.message_queue import Delivery


def from_url(url: str) -> "SQLiteQueueDriver":
    """The driver of `sqlite:///<path>`; touches no file before its first use."""
    return SQLiteQueueDriver(database_of(url))


class SQLiteQueueDriver:
    """Messages with a time from which they are visible. Each receipt is good until the message is received again."""

    system = "sqlite"

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    async def send(self, queue: str, body: str, *, delay: int) -> None:
        """See `QueueDriver`."""
        row = (secrets.token_hex(12), queue, self._clock() + delay, body)
        await self._run(lambda connection: connection.execute("INSERT INTO messages VALUES (?, ?, ?, ?)", row))

    async def send_batch(self, queue: str, bodies: Sequence[str], *, delay: int) -> Sequence[str | None]:
        """See `QueueDriver`; one transaction."""
        visible_at = self._clock() + delay
        rows = [(secrets.token_hex(12), queue, visible_at, body) for body in bodies]
        await self._run(lambda connection: connection.executemany("INSERT INTO messages VALUES (?, ?, ?, ?)", rows))
        return [None] * len(bodies)

    async def receive(self, queue: str, *, limit: int, visibility: int) -> Sequence[Delivery]:
        """See `QueueDriver`."""
        now = self._clock()

        def take(connection: sqlite3.Connection) -> list[Delivery]:
            due = connection.execute(
                "SELECT receipt, body FROM messages WHERE queue = ? AND visible_at <= ? ORDER BY visible_at LIMIT ?",
                (queue, now, limit),
            ).fetchall()
            taken = []
            for old, body in due:
                receipt = secrets.token_hex(12)
                connection.execute(
                    "UPDATE messages SET receipt = ?, visible_at = ? WHERE receipt = ?",
                    (receipt, now + visibility, old),
                )
                taken.append(Delivery(queue, body, receipt))
            return taken

        return await self._run(take)

    async def delete(self, delivery: Delivery) -> None:
        """See `QueueDriver`."""
        await self._run(
            lambda connection: connection.execute("DELETE FROM messages WHERE receipt = ?", (delivery.receipt,))
        )

    async def release(self, delivery: Delivery) -> None:
        """See `QueueDriver`."""
        await self._run(
            lambda connection: connection.execute(
                "UPDATE messages SET visible_at = ? WHERE receipt = ?", (self._clock(), delivery.receipt)
            )
        )

    async def ping(self, queue: str) -> None:
        """See `QueueDriver`."""
        await self._run(lambda connection: connection.execute("SELECT 1").fetchone())

    async def depth(self, queue: str) -> int:
        """See `QueueDriver`; exact here."""
        return await self._run(
            lambda connection: int(
                connection.execute("SELECT count(*) FROM messages WHERE queue = ?", (queue,)).fetchone()[0]
            )
        )

    async def close(self) -> None:
        """See `QueueDriver`."""
        await self._database.close()

    async def _run[T](self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return await self._database.run(work)
        except StoreUnavailable as exc:
            raise QueueUnavailable(str(exc)) from exc
