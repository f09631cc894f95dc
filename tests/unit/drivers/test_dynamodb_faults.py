"""The DynamoDB driver when the wire or the service fails, injected before ministack, which by itself never fails."""

import math
import uuid

import pytest

from tests.emulators.fixtures import REGION, create_tables
from twofold.aws import document_store
from twofold.emulators.dynamodb import DynamoDB
from twofold.emulators.server import Answer
from twofold.errors import Conflict, StoreRefused, StoreThrottled, StoreUnavailable
from twofold.portable.document_store import ABSENT, Delete, DocumentStore, Put, at_version

C = "documents"
SHAPE = "com.amazonaws.dynamodb.v20120810#"


@pytest.fixture(scope="module")
def prefix(dynamodb):
    name = f"faults-{uuid.uuid4().hex[:8]}"
    create_tables(dynamodb, name)
    return name


@pytest.fixture
def server(ministack):
    with DynamoDB(ministack, region=REGION, stale=False) as started:
        yield started
        assert started.unspent() == 0


@pytest.fixture
async def store(server, prefix):
    opened = DocumentStore(document_store.from_url(f"dynamodb://{REGION}/{prefix}?endpoint={server.url}"))
    yield opened
    await opened.close()


@pytest.fixture
def p():
    return uuid.uuid4().hex


@pytest.fixture
def patient(monkeypatch):
    """A store that is tried again for as long as a busy machine takes."""
    monkeypatch.setattr("twofold.portable.document_store.THROTTLED_SECONDS", 60)


def calls(*operations):
    return lambda method, path, headers: headers.get("X-Amz-Target", "").rpartition(".")[2] in operations


def refused(kind, **more):
    return Answer(
        400, {"__type": SHAPE + kind, "message": kind, **more}, {"Content-Type": "application/x-amz-json-1.0"}
    )


async def test_a_create_whose_answer_is_lost_succeeds_and_its_version_counts(server, store, p):
    server.inject(1, None, when=calls("PutItem"), after=True)
    version = await store.put(C, p, "1", {"n": 1}, condition=ABSENT)
    await store.put(C, p, "1", {"n": 2}, condition=at_version(version))
    with pytest.raises(Conflict):
        await store.put(C, p, "1", {"n": 3}, condition=at_version(version))


async def test_a_transaction_whose_answer_is_lost_succeeds_once(server, store, p):
    old = await store.put(C, p, "old", {})
    server.inject(1, None, when=calls("TransactWriteItems"), after=True)
    versions = await store.commit(
        C, p, [Put("1", {"n": 1}, ABSENT), Put("2", {"n": 2}, ABSENT), Delete("old", at_version(old))]
    )
    assert versions[2] is None and await store.get(C, p, "old") is None
    assert [d.version for d in (await store.query(C, p)).documents] == versions[:2]


async def test_somebody_elses_create_is_a_conflict_also_when_an_answer_was_lost(server, store, p):
    await store.put(C, p, "1", {"n": 1})
    server.inject(1, None, when=calls("PutItem"), after=True)
    with pytest.raises(Conflict):
        await store.put(C, p, "1", {"n": 2}, condition=ABSENT)
    assert (await store.get(C, p, "1")).body == {"n": 1}


@pytest.mark.parametrize(
    "answer",
    [
        refused("ProvisionedThroughputExceededException"),
        refused("ThrottlingException"),
        refused("TransactionConflictException"),
    ],
    ids=["throughput", "throttling", "conflict"],
)
async def test_load_and_contention_are_retried(server, store, p, answer, patient):
    server.inject(2, answer, when=calls("PutItem"))
    await store.put(C, p, "1", {"n": 1}, condition=ABSENT)
    assert (await store.get(C, p, "1")).body == {"n": 1}


async def test_a_transaction_that_meets_another_is_retried_and_a_failed_condition_is_not(server, store, p, patient):
    reasons = [{"Code": "TransactionConflict"}, {"Code": "None"}]
    cancelled = refused("TransactionCanceledException", CancellationReasons=reasons)
    server.inject(2, cancelled, when=calls("TransactWriteItems"))
    await store.commit(C, p, [Put("1", {}), Put("2", {})])
    server.requests.clear()
    with pytest.raises(Conflict):
        await store.commit(C, p, [Put("1", {}, ABSENT), Put("3", {})])
    assert len(server.requests) == 1 and await store.get(C, p, "3") is None


async def test_load_that_stays_is_told_after_a_few_tries(server, store, p):
    server.inject(math.inf, refused("ProvisionedThroughputExceededException"), when=calls("PutItem"))
    server.requests.clear()
    with pytest.raises(StoreThrottled):
        await store.put(C, p, "1", {})
    assert 3 < len(server.requests) < 30


async def test_a_service_failure_and_a_dead_endpoint_are_unavailable(server, store, p):
    server.inject(
        math.inf, Answer(500, {"__type": SHAPE + "InternalServerError", "message": "sorry"}), when=calls("GetItem")
    )
    with pytest.raises(StoreUnavailable):
        await store.get(C, p, "1")
    server.inject(math.inf)
    with pytest.raises(StoreUnavailable):
        await store.get(C, p, "1")


@pytest.mark.parametrize("code", ["ValidationException", "ItemCollectionSizeLimitExceededException", "SomethingNew"])
async def test_a_write_that_is_invalid_is_refused_for_good(server, store, p, code):
    server.inject(1, refused(code), when=calls("PutItem"))
    with pytest.raises(StoreRefused, match=code):
        await store.put(C, p, "1", {})


async def test_a_transaction_with_a_write_that_is_invalid_is_refused_for_good(server, store, p):
    reasons = [{"Code": "None"}, {"Code": "ValidationError"}]
    cancelled = refused("TransactionCanceledException", CancellationReasons=reasons)
    server.inject(1, cancelled, when=calls("TransactWriteItems"))
    with pytest.raises(StoreRefused, match="ValidationError"):
        await store.commit(C, p, [Put("1", {}), Put("2", {})])


async def test_a_login_that_ended_is_unavailable(server, store, p):
    server.inject(1, refused("ExpiredTokenException"), when=calls("PutItem"))
    with pytest.raises(StoreUnavailable, match="ExpiredToken"):
        await store.put(C, p, "1", {})


async def test_a_missing_table_and_a_refused_role_say_what_to_look_at(server, store, p):
    nowhere = DocumentStore(document_store.from_url(f"dynamodb://{REGION}/nowhere?endpoint={server.url}"))
    with pytest.raises(StoreUnavailable, match="TWOFOLD_STORE_URL"):
        await nowhere.get(C, p, "1")
    await nowhere.close()
    server.inject(1, refused("AccessDeniedException"), when=calls("GetItem"))
    with pytest.raises(StoreUnavailable, match="role"):
        await store.get(C, p, "1")


async def test_a_point_read_and_a_point_write_are_one_request_each(server, store, p):
    await store.put(C, p, "1", {})
    server.requests.clear()
    await store.put(C, p, "2", {}, condition=ABSENT)
    await store.get(C, p, "2")
    assert len(server.requests) == 2
