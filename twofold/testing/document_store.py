"""The DocumentStore's promises as tests.

    class TestMine(DocumentStoreConformance):
        async def open_driver(self): return MyDriver(...)

Needs pytest with pytest-asyncio in auto mode. Partitions are random, so a shared backend needs no cleaning.
"""

import asyncio
import random
import time
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from twofold.errors import Conflict, ProfileError
from twofold.portable.document_store import (
    ABSENT,
    ANY,
    Check,
    Delete,
    DocumentDriver,
    DocumentStore,
    Page,
    Put,
    Write,
    at_version,
)
from twofold.testing.clock import Clock

C = "documents"


class DocumentStoreConformance:
    """Subclass it and define `open_driver`."""

    commands = 1000
    """How many concurrent commands the lost-update test runs, on ten documents."""

    async def open_driver(self) -> DocumentDriver:
        """A driver on an empty or shared backend that has the collection `documents`."""
        raise TypeError("define open_driver in the subclass")

    @pytest.fixture
    def clock(self) -> Clock:
        return Clock(int(time.time()))

    @pytest_asyncio.fixture
    async def store(self, clock: Clock) -> AsyncIterator[DocumentStore]:
        store = DocumentStore(await self.open_driver(), clock=clock)
        yield store
        await store.close()

    @pytest.fixture
    def p(self) -> str:
        return f"p-{uuid.uuid4().hex}"

    async def test_put_then_get(self, store: DocumentStore, p: str) -> None:
        """A put is read at once, with the version that it returned."""
        version = await store.put(C, p, "a", {"n": 1})
        document = await store.get(C, p, "a")
        assert document is not None
        assert (document.partition, document.id, document.body, document.version) == (p, "a", {"n": 1}, version)
        assert await store.get(C, p, "b") is None

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"a": None, "b": True, "c": False, "d": "", "e": [], "f": {}},
            {"i": 2**53 - 1, "j": -(2**53 - 1), "f": 0.1, "g": 1e300, "h": 5e-324, "z": 0},
            {"text": 'äöü 漢字 😀 \n\t"\\ \u2028', "kéy": ["nested", {"deep": [1, [2, [3]]]}]},
            {"id": "not the id", "p": 1, "ttl": 5, "_etag": "x", "v": [1], "e": {}},
        ],
    )
    async def test_bodies(self, store: DocumentStore, p: str, body: dict[str, Any]) -> None:
        """A body comes back equal, with the types of its values."""
        await store.put(C, p, "a", body)
        document = await store.get(C, p, "a")
        assert document is not None and document.body == body
        assert [type(value) for value in document.body.values()] == [type(value) for value in body.values()]

    async def test_largest_body(self, store: DocumentStore, p: str) -> None:
        """A body of 350 KiB as JSON fits."""
        body = {"text": "x" * (350 * 1024 - len('{"text":""}'))}
        await store.put(C, p, "a", body)
        document = await store.get(C, p, "a")
        assert document is not None and document.body == body

    async def test_longest_keys(self, store: DocumentStore) -> None:
        """A partition of 1024 and an id of 1023 bytes fit."""
        partition, document_id = uuid.uuid4().hex + "p" * (1024 - 32), "i" * 1023
        await store.put(C, partition, document_id, {"n": 1})
        assert await store.get(C, partition, document_id) is not None

    async def test_partitions_are_apart(self, store: DocumentStore, p: str) -> None:
        """One partition's documents are in no other's reads, queries or conditions."""
        await store.put(C, p, "a", {"n": 1})
        await store.put(C, p + "x", "a", {"n": 2}, condition=ABSENT)
        assert await store.get(C, p + "y", "a") is None
        assert [d.body["n"] for d in (await store.query(C, p)).documents] == [1]

    async def test_absent(self, store: DocumentStore, p: str) -> None:
        """ABSENT writes once; then it is a Conflict that names the document and leaves it as it was."""
        await store.put(C, p, "a", {"n": 1}, condition=ABSENT)
        with pytest.raises(Conflict) as caught:
            await store.put(C, p, "a", {"n": 2}, condition=ABSENT)
        assert (caught.value.partition, caught.value.id) == (p, "a")
        document = await store.get(C, p, "a")
        assert document is not None and document.body == {"n": 1}

    async def test_version(self, store: DocumentStore, p: str) -> None:
        """A version is good for one write; an older or unknown one is a Conflict."""
        first = await store.put(C, p, "a", {"n": 1})
        second = await store.put(C, p, "a", {"n": 2}, condition=at_version(first))
        for stale in (first, "no-such-version"):
            with pytest.raises(Conflict):
                await store.put(C, p, "a", {"n": 3}, condition=at_version(stale))
            with pytest.raises(Conflict):
                await store.delete(C, p, "a", condition=at_version(stale))
        await store.delete(C, p, "a", condition=at_version(second))
        with pytest.raises(Conflict):
            await store.put(C, p, "a", {"n": 4}, condition=at_version(second))
        assert await store.get(C, p, "a") is None

    async def test_versions_never_recur(self, store: DocumentStore, p: str) -> None:
        """No version comes twice, not even after a delete."""
        versions = []
        for _ in range(5):
            versions.append(await store.put(C, p, "a", {"n": 1}))
            versions.append(await store.put(C, p, "a", {"n": 1}))
            await store.delete(C, p, "a")
        assert len(set(versions)) == 10

    async def test_delete_missing(self, store: DocumentStore, p: str) -> None:
        """To delete what is not there is no error, alone and in a commit."""
        await store.delete(C, p, "a")
        await store.commit(C, p, [Delete("a"), Put("b", {})])
        assert [d.id for d in (await store.query(C, p)).documents] == ["b"]

    @pytest.mark.parametrize(
        "failing",
        [Put("x", {}, ABSENT), Put("y", {}, at_version("gone")), Delete("x", at_version("v")), Check("x", ABSENT)],
    )
    async def test_commit_is_all_or_nothing(self, store: DocumentStore, p: str, failing: Write) -> None:
        """A condition that fails names its document, and nothing of the commit is written."""
        await store.put(C, p, "x", {"n": 0})
        await store.put(C, p, "d", {"n": 0})
        with pytest.raises(Conflict) as caught:
            await store.commit(C, p, [Put("a", {"n": 1}), Delete("d"), failing, Put("z", {"n": 1})])
        assert caught.value.id == failing.id
        assert [d.id for d in (await store.query(C, p)).documents] == ["d", "x"]

    async def test_commit_of_every_kind(self, store: DocumentStore, p: str) -> None:
        """One commit takes every kind of write and condition, and returns the versions in order."""
        kept, gone = await store.put(C, p, "kept", {"n": 1}), await store.put(C, p, "gone", {"n": 1})
        versions = await store.commit(
            C, p,
            [
                Put("a", {"n": 1}), Put("b", {"n": 1}, ABSENT), Check("kept", at_version(kept)),
                Check("none", ABSENT), Delete("gone", at_version(gone)), Delete("missing", ANY),
            ],
        )  # fmt: skip
        assert [version is not None for version in versions] == [True, True, False, False, False, False]
        page = await store.query(C, p)
        assert [d.id for d in page.documents] == ["a", "b", "kept"]
        assert [d.version for d in page.documents[:2]] == versions[:2]
        await store.put(C, p, "kept", {"n": 2}, condition=at_version(kept))

    async def test_check_keeps_the_version(self, store: DocumentStore, p: str) -> None:
        """A Check changes no version and makes no document."""
        version = await store.put(C, p, "kept", {"n": 1})
        for n in range(3):
            await store.commit(C, p, [Check("kept", at_version(version)), Put(f"a{n}", {})])
        await store.commit(C, p, [Check("kept", at_version(version))])
        await store.put(C, p, "kept", {"n": 2}, condition=at_version(version))
        with pytest.raises(Conflict):
            await store.commit(C, p, [Check("kept", at_version(version))])
        with pytest.raises(Conflict):
            await store.commit(C, p, [Check("kept", ABSENT)])
        await store.commit(C, p, [Check("none", ABSENT)])
        assert await store.get(C, p, "none") is None

    async def test_commit_of_100_writes(self, store: DocumentStore, p: str) -> None:
        """A commit may have 100 writes."""
        await store.commit(C, p, [Put(f"{n:03d}", {"n": n}, ABSENT) for n in range(100)])
        assert [d.body["n"] async for d in store.query_all(C, p)] == list(range(100))
        with pytest.raises(Conflict):
            await store.commit(C, p, [Put(f"{n:03d}", {"n": -1}, ABSENT) for n in range(1, 101)])
        assert await store.get(C, p, "100") is None

    async def test_queries(self, store: DocumentStore, p: str) -> None:
        """A query is ordered by the ids' UTF-8 bytes, and bounded by prefix, start, end and limit."""
        ids = ["a", "a-1", "a-2", "b", "Ω", "ä", "漢", "\uffee", "😀"]
        random.Random(1).shuffle(ids)
        await store.commit(C, p, [Put(document_id, {}) for document_id in ids])
        ordered = sorted(ids, key=str.encode)

        async def query(**arguments: Any) -> list[str]:
            return [d.id for d in (await store.query(C, p, **arguments)).documents]

        assert await query() == ordered
        assert await query(descending=True) == ordered[::-1]
        assert await query(prefix="a") == ["a", "a-1", "a-2"]
        assert await query(prefix="a", descending=True) == ["a-2", "a-1", "a"]
        assert await query(start="a-1", end="b") == ["a-1", "a-2"]
        assert await query(start="b") == ordered[ordered.index("b") :]
        assert await query(end="b") == ["a", "a-1", "a-2"]
        assert await query(start="c", end="b") == []
        assert await query(limit=2) == ["a", "a-1"]

    @pytest.mark.parametrize("descending", [False, True])
    async def test_paging_while_others_write(self, store: DocumentStore, p: str, descending: bool) -> None:
        """Pages repeat nothing and miss nothing that was there all along."""
        stable = [f"{n:03d}" for n in range(0, 60, 2)]
        await store.commit(C, p, [Put(document_id, {}) for document_id in stable])
        seen: list[str] = []
        cursor, n = None, 1
        while True:
            page: Page = await store.query(C, p, prefix="0", limit=7, cursor=cursor, descending=descending)
            seen += [d.id for d in page.documents]
            await store.put(C, p, f"{n:03d}", {})
            await store.put(C, p, f"{59 - n + 1:03d}", {})
            await store.delete(C, p, page.documents[-1].id)
            n += 2
            if (cursor := page.cursor) is None:
                break
        assert seen == sorted(set(seen), reverse=descending)
        assert set(stable) <= set(seen)

    async def test_query_end(self, store: DocumentStore, p: str) -> None:
        """The last page has no cursor, or one that leads to an empty page."""
        assert await store.query(C, p) == Page((), None)
        await store.commit(C, p, [Put(str(n), {}) for n in range(4)])
        page = await store.query(C, p, limit=4)
        assert len(page.documents) == 4
        if page.cursor is not None:
            assert await store.query(C, p, limit=4, cursor=page.cursor) == Page((), None)

    async def test_expired_is_absent(self, store: DocumentStore, clock: Clock, p: str) -> None:
        """What has expired is absent for reads, queries and conditions, and may be written anew."""
        until = store.now() + 100
        version = await store.put(C, p, "a", {"n": 1}, expires_at=until)
        await store.put(C, p, "b", {"n": 1})
        document = await store.get(C, p, "a")
        assert document is not None and document.expires_at == until
        clock.advance(99)
        assert await store.get(C, p, "a") is not None
        clock.advance(1)
        assert await store.get(C, p, "a") is None
        assert [d.id for d in (await store.query(C, p)).documents] == ["b"]
        for write in (
            Put("a", {}, at_version(version)),
            Delete("a", at_version(version)),
            Check("a", at_version(version)),
        ):
            with pytest.raises(Conflict):
                await store.commit(C, p, [write])
            with pytest.raises(Conflict):
                await store.commit(C, p, [write, Put("c", {})])
        await store.commit(C, p, [Check("a", ABSENT), Put("c", {})])
        await store.put(C, p, "a", {"n": 2}, condition=ABSENT)
        clock.advance(1000)
        document = await store.get(C, p, "a")
        assert document is not None and (document.body, document.expires_at) == ({"n": 2}, None)

    async def test_expired_in_a_commit(self, store: DocumentStore, clock: Clock, p: str) -> None:
        """ABSENT holds for an expired document in a commit."""
        await store.put(C, p, "a", {"n": 1}, expires_at=store.now() + 10)
        clock.advance(11)
        await store.commit(C, p, [Put("a", {"n": 2}, ABSENT), Put("b", {})])
        document = await store.get(C, p, "a")
        assert document is not None and document.body == {"n": 2}

    async def test_each_write_sets_the_expiry(self, store: DocumentStore, clock: Clock, p: str) -> None:
        """The last write alone decides when a document expires."""
        await store.put(C, p, "a", {}, expires_at=store.now() + 10)
        await store.put(C, p, "a", {}, expires_at=store.now() + 1000)
        await store.put(C, p, "b", {}, expires_at=store.now() + 10)
        await store.put(C, p, "b", {})
        await store.put(C, p, "past", {}, expires_at=store.now() - 5)
        clock.advance(500)
        assert [d.id for d in (await store.query(C, p)).documents] == ["a", "b"]

    async def test_pages_skip_the_expired(self, store: DocumentStore, clock: Clock, p: str) -> None:
        """A page of five has five live documents."""
        await store.commit(
            C, p, [Put(f"{n:02d}", {}, expires_at=store.now() + (10 if n % 3 else 1000)) for n in range(30)]
        )
        clock.advance(20)
        assert [d.id async for d in store.query_all(C, p)] == [f"{n:02d}" for n in range(0, 30, 3)]
        assert len((await store.query(C, p, limit=5)).documents) == 5

    async def test_one_of_many_wins(self, store: DocumentStore, p: str) -> None:
        """Of concurrent writes under one condition one succeeds, the others are Conflicts."""
        version = await store.put(C, p, "a", {"n": 0})
        for condition in (at_version(version), ABSENT):
            outcomes = await asyncio.gather(
                *(store.put(C, p, "a" if condition.version else "b", {"n": n}, condition=condition) for n in range(20)),
                return_exceptions=True,
            )
            assert sum(isinstance(outcome, str) for outcome in outcomes) == 1
            assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 19

    async def test_no_update_is_lost(self, store: DocumentStore, p: str) -> None:
        """A thousand concurrent read-modify-writes count to a thousand."""
        ids = [f"d{n}" for n in range(10)]
        await store.commit(C, p, [Put(document_id, {"n": 0}) for document_id in ids])
        gate = asyncio.Semaphore(40)

        async def command(document_id: str) -> None:
            async with gate:
                for _ in range(500):
                    document = await store.get(C, p, document_id)
                    assert document is not None
                    try:
                        await store.put(
                            C, p, document_id, {"n": document.body["n"] + 1}, condition=at_version(document.version)
                        )
                        return
                    except Conflict:
                        await asyncio.sleep(random.uniform(0, 0.02))
                raise AssertionError("a command lost 500 races")

        await asyncio.gather(*(command(ids[n % 10]) for n in range(self.commands)))
        assert sum(d.body["n"] for d in (await store.query(C, p)).documents) == self.commands

    @pytest.mark.parametrize(
        "write",
        [
            Put("", {}), Put("a/b", {}), Put("a\\b", {}), Put("a?", {}), Put("#", {}), Put("a ", {}), Put("a\n", {}),
            Put("x" * 1024, {}), Put("a", {"n": 2**53}), Put("a", {"n": float("nan")}), Put("a", {"t": "x" * 358_400}),
            Put("a", {"t": "\ud800"}), Check("a", ANY), Delete("a", ABSENT),
        ],
    )  # fmt: skip
    async def test_profile_of_a_write(self, store: DocumentStore, p: str, write: Write) -> None:
        """A write that some backend could not take is refused before it is sent."""
        with pytest.raises(ProfileError):
            await store.commit(C, p, [write])
        assert (await store.query(C, p)).documents == ()

    async def test_profile_of_a_commit(self, store: DocumentStore, p: str) -> None:
        """A commit that some backend could not take is refused before it is sent."""
        for writes in (
            [],
            [Put("a", {}), Put("a", {})],
            [Put(str(n), {}) for n in range(101)],
            [Check(str(n), ABSENT) for n in range(51)],
            [Put(str(n), {"t": "x" * 300_000}) for n in range(4)],
        ):
            with pytest.raises(ProfileError):
                await store.commit(C, p, writes)

    async def test_ping(self, store: DocumentStore) -> None:
        """A store that can be reached answers."""
        assert await store.ping() is None  # type: ignore[func-returns-value]
