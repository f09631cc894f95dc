"""The Cosmos driver when the wire or the service fails: a write's outcome is certain, load is retried, the rest is told."""

import math

import pytest

from tests.fakes.credential import StaticCredential
from twofold.azure import document_store
from twofold.emulators.cosmos import CosmosFake
from twofold.emulators.cosmos.container import refuse
from twofold.errors import Conflict, StoreRefused, StoreThrottled, StoreUnavailable
from twofold.portable.document_store import ABSENT, Delete, DocumentStore, Put, at_version

C = "documents"


@pytest.fixture
def fake():
    with CosmosFake() as started:
        yield started
        assert started.unspent() == 0


@pytest.fixture
async def store(fake):
    opened = DocumentStore(document_store.from_url(fake.create("db", C), StaticCredential()))
    yield opened
    await opened.close()


def writes(method, path, headers):
    return method == "POST" and path.rstrip("/").endswith("/docs") and "query" not in headers.get("Content-Type", "")


def throttled():
    return refuse(429, "TooManyRequests", "Request rate is large.", **{"x-ms-retry-after-ms": 20})


async def test_a_create_whose_answer_is_lost_succeeds_and_its_version_counts(fake, store):
    fake.inject(1, None, when=writes, after=True)
    version = await store.put(C, "a", "1", {"n": 1}, condition=ABSENT)
    await store.put(C, "a", "1", {"n": 2}, condition=at_version(version))
    with pytest.raises(Conflict):
        await store.put(C, "a", "1", {"n": 3}, condition=at_version(version))


async def test_a_replace_whose_answer_is_lost_succeeds(fake, store):
    version = await store.put(C, "a", "1", {"n": 1})
    fake.inject(1, None, when=lambda method, path, headers: method == "PUT", after=True)
    version = await store.put(C, "a", "1", {"n": 2}, condition=at_version(version))
    await store.put(C, "a", "1", {"n": 3}, condition=at_version(version))


async def test_a_batch_whose_answer_is_lost_succeeds_once(fake, store):
    old = await store.put(C, "a", "old", {})
    fake.inject(1, None, when=writes, after=True)
    versions = await store.commit(
        C, "a", [Put("1", {"n": 1}, ABSENT), Put("2", {"n": 2}, ABSENT), Delete("old", at_version(old))]
    )
    assert versions[2] is None and await store.get(C, "a", "old") is None
    assert [d.version for d in (await store.query(C, "a")).documents] == versions[:2]


async def test_somebody_elses_create_is_a_conflict_also_when_an_answer_was_lost(fake, store):
    await store.put(C, "a", "1", {"n": 1})
    fake.inject(1, None, when=writes, after=True)
    with pytest.raises(Conflict):
        await store.put(C, "a", "1", {"n": 2}, condition=ABSENT)
    assert (await store.get(C, "a", "1")).body == {"n": 1}


@pytest.mark.parametrize("status", [429, 449])
async def test_load_is_retried(fake, store, status, monkeypatch):
    monkeypatch.setattr("twofold.portable.document_store.THROTTLED_SECONDS", 60)  # a busy machine has time
    fake.inject(3, refuse(status, "x", "later", **{"x-ms-retry-after-ms": 20}), when=writes)
    await store.put(C, "a", "1", {"n": 1})
    assert (await store.get(C, "a", "1")).body == {"n": 1}


async def test_load_that_stays_is_told_after_a_few_tries(fake, store):
    fake.inject(math.inf, throttled(), when=writes)
    fake.requests.clear()
    with pytest.raises(StoreThrottled):
        await store.put(C, "a", "1", {"n": 1})
    assert 3 < len(fake.requests) < 30


async def test_an_account_that_is_down_is_unavailable(fake, store):
    fake.inject(math.inf)
    with pytest.raises(StoreUnavailable):
        await store.get(C, "a", "1")


async def test_a_service_failure_is_unavailable(fake, store):
    await store.get(C, "a", "1")
    fake.inject(
        math.inf, refuse(500, "InternalServerError", "sorry"), when=lambda method, path, headers: "docs" in path
    )
    with pytest.raises(StoreUnavailable, match="500"):
        await store.get(C, "a", "1")


async def test_a_write_that_is_invalid_is_refused_for_good_also_in_a_batch(fake, store):
    fake.inject(2, refuse(400, "BadRequest", "The input content is invalid"), when=writes)
    with pytest.raises(StoreRefused, match="400"):
        await store.put(C, "a", "1", {"n": 1})
    with pytest.raises(StoreRefused, match="400"):
        await store.commit(C, "a", [Put("1", {}), Put("2", {})])


@pytest.mark.parametrize("status", [403, 408, 410])
async def test_what_passes_or_is_the_logins_is_unavailable(fake, store, status):
    await store.get(C, "a", "1")
    fake.inject(math.inf, refuse(status, "x", "not now"), when=writes)
    with pytest.raises(StoreUnavailable, match=str(status)):
        await store.put(C, "a", "1", {"n": 1})


async def test_a_wrong_login_and_a_wrong_url_say_what_to_look_at(fake, store):
    stranger = DocumentStore(document_store.from_url(f"cosmos://{fake.host}/db", StaticCredential("another")))
    with pytest.raises(StoreUnavailable, match="identity"):
        await stranger.get(C, "a", "1")
    await stranger.close()
    nowhere = DocumentStore(document_store.from_url(f"cosmos://{fake.host}/other", StaticCredential()))
    with pytest.raises(StoreUnavailable, match="TWOFOLD_STORE_URL"):
        await nowhere.get(C, "a", "1")
    await nowhere.close()


async def test_a_point_read_and_a_point_write_are_one_request_each(fake, store):
    await store.put(C, "a", "1", {})
    await store.get(C, "a", "1")
    fake.requests.clear()
    await store.put(C, "a", "2", {}, condition=ABSENT)
    await store.get(C, "a", "2")
    # What the SDK learns about the account it may ask again at any time, beside these.
    assert len([path for _, path in fake.requests if "/docs/" in path]) == 2
