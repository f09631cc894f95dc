"""The embedded file: calls at once share a transaction, and none of them another's fate."""

import asyncio
import sqlite3

import pytest

from twofold.errors import Conflict, StoreUnavailable
from twofold.local.database import Database, database_of


def insert(name):
    return lambda connection: connection.execute("INSERT INTO cursors VALUES (?, 1)", (name,))


def names(connection):
    return {row[0] for row in connection.execute("SELECT name FROM cursors")}


@pytest.fixture
async def database(tmp_path):
    database = Database(tmp_path / "file.db")
    yield database
    await database.close()


async def test_many_at_once_are_few_transactions_and_all_on_disk(database):
    commits = []
    await database.run(lambda connection: connection.set_trace_callback(commits.append))
    await asyncio.gather(*(database.run(insert(f"n-{n}")) for n in range(200)))
    assert commits.count("COMMIT") <= 20
    with sqlite3.connect(database.path) as other:
        assert len(names(other)) == 200


async def test_a_call_that_raises_undoes_itself_and_nothing_else(database):
    def half(connection):
        insert("half")(connection)
        raise Conflict("p", "i")

    def wrong(connection):
        insert("wrong")(connection)
        connection.execute("SELECT nonsense FROM nowhere")

    outcomes = await asyncio.gather(
        *(database.run(work) for work in (insert("a"), half, insert("b"), wrong, insert("c"))), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes if isinstance(outcome, Exception)] == [Conflict, StoreUnavailable]
    assert await database.run(names) == {"a", "b", "c"}


async def test_who_stops_waiting_disturbs_nobody(database):
    calls = [asyncio.create_task(database.run(insert(f"n-{n}"))) for n in range(20)]
    await asyncio.sleep(0)
    calls[3].cancel()
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes) == 1
    assert {f"n-{n}" for n in range(20) if n != 3} <= await database.run(names)


async def test_a_file_that_cannot_be_opened_is_told_to_each(tmp_path):
    (tmp_path / "folder").write_text("a file")
    database = Database(tmp_path / "folder" / "file.db")
    outcomes = await asyncio.gather(*(database.run(names) for _ in range(3)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [StoreUnavailable] * 3
    await database.close()


async def test_users_of_a_file_share_it_until_the_last_has_closed(tmp_path):
    url = f"sqlite:///{tmp_path}/shared.db"
    first, second = database_of(url), database_of(url)
    assert first is second
    await first.close()
    await second.run(insert("still open"))
    await second.close()
    third = database_of(url)
    assert third is not first and await third.run(names) == {"still open"}
    await third.close()
