"""The DynamoDB driver when the wire or the service fails, injected in front of DynamoDB Local, which fails by itself never."""

import math
import time
import uuid

import httpx
import pytest

from tests.emulators.fixtures import REGION, create_tables
from twofold.aws import document_store
from twofold.emulators.server import Answer, FakeServer
from twofold.errors import Conflict, StoreRefused, StoreThrottled, StoreUnavailable
from twofold.portable.document_store import ABSENT, VERSION, Delete, DocumentStore, Put

C = "documents"
SHAPE = "com.amazonaws.dynamodb.v20120810#"


class Proxy(FakeServer):
    """Passes everything on to DynamoDB Local."""

    def __init__(self, target):
        super().__init__(tls=False)
        self._target = target
        self._client = httpx.Client()

    def serve(self, method, path, raw_query, headers, body):
        kept = {name: value for name, value in headers.items() if name.lower() not in ("host", "content-length")}
        answer = self._client.request(method, self._target + path, content=body, headers=kept)
        return Answer(answer.status_code, answer.json(), {"Content-Type": "application/x-amz-json-1.0"})


@pytest.fixture(scope="module")
def prefix(dynamodb_local):
    name = f"faults-{uuid.uuid4().hex[:8]}"
    create_tables(dynamodb_local, name)
    return name


@pytest.fixture
def proxy(dynamodb_local):
    with Proxy(dynamodb_local) as started:
        yield started
        assert started.unspent() == 0


@pytest.fixture
async def store(proxy, prefix):
    opened = DocumentStore(document_store.open(f"dynamodb://{REGION}/{prefix}?endpoint=http://{proxy.host}"))
    yield opened
    await opened.close()


@pytest.fixture
def p():
    return uuid.uuid4().hex


def calls(*operations):
    return lambda method, path, headers: headers.get("X-Amz-Target", "").rpartition(".")[2] in operations


def refused(kind, **more):
    return Answer(
        400, {"__type": SHAPE + kind, "message": kind, **more}, {"Content-Type": "application/x-amz-json-1.0"}
    )


async def test_a_create_whose_answer_is_lost_succeeds_and_its_version_counts(proxy, store, p):
    proxy.inject(1, None, when=calls("PutItem"), after=True)
    version = await store.put(C, p, "1", {"n": 1}, condition=ABSENT)
    await store.put(C, p, "1", {"n": 2}, condition=VERSION(version))
    with pytest.raises(Conflict):
        await store.put(C, p, "1", {"n": 3}, condition=VERSION(version))


async def test_a_transaction_whose_answer_is_lost_succeeds_once(proxy, store, p):
    old = await store.put(C, p, "old", {})
    proxy.inject(1, None, when=calls("TransactWriteItems"), after=True)
    versions = await store.commit(
        C, p, [Put("1", {"n": 1}, ABSENT), Put("2", {"n": 2}, ABSENT), Delete("old", VERSION(old))]
    )
    assert versions[2] is None and await store.get(C, p, "old") is None
    assert [d.version for d in (await store.query(C, p)).documents] == versions[:2]


async def test_somebody_elses_create_is_a_conflict_also_when_an_answer_was_lost(proxy, store, p):
    await store.put(C, p, "1", {"n": 1})
    proxy.inject(1, None, when=calls("PutItem"), after=True)
    with pytest.raises(Conflict):
        await store.put(C, p, "1", {"n": 2}, condition=ABSENT)
    assert (await store.get(C, p, "1")).body == {"n": 1}


@pytest.fixture
def patient(monkeypatch):
    """However slow this machine is, a second attempt is made."""
    monkeypatch.setattr("twofold.portable.document_store.THROTTLED_SECONDS", 60)


@pytest.mark.parametrize(
    "answer",
    [
        refused("ProvisionedThroughputExceededException"),
        refused("ThrottlingException"),
        refused("TransactionConflictException"),
    ],
    ids=["throughput", "throttling", "conflict"],
)
async def test_load_and_contention_are_retried(proxy, store, p, answer, patient):
    proxy.inject(2, answer, when=calls("PutItem"))
    await store.put(C, p, "1", {"n": 1}, condition=ABSENT)
    assert (await store.get(C, p, "1")).body == {"n": 1}


async def test_a_transaction_that_meets_another_is_retried_and_a_failed_condition_is_not(proxy, store, p, patient):
    reasons = [{"Code": "TransactionConflict"}, {"Code": "None"}]
    cancelled = refused("TransactionCanceledException", CancellationReasons=reasons)
    proxy.inject(2, cancelled, when=calls("TransactWriteItems"))
    await store.commit(C, p, [Put("1", {}), Put("2", {})])
    proxy.requests.clear()
    with pytest.raises(Conflict):
        await store.commit(C, p, [Put("1", {}, ABSENT), Put("3", {})])
    assert len(proxy.requests) == 1 and await store.get(C, p, "3") is None


async def test_load_that_stays_is_told_within_seconds(proxy, store, p):
    proxy.inject(math.inf, refused("ProvisionedThroughputExceededException"), when=calls("PutItem"))
    started = time.monotonic()
    with pytest.raises(StoreThrottled):
        await store.put(C, p, "1", {})
    assert 1 < time.monotonic() - started < 25


async def test_a_service_failure_and_a_dead_endpoint_are_unavailable(proxy, store, p):
    proxy.inject(
        math.inf, Answer(500, {"__type": SHAPE + "InternalServerError", "message": "sorry"}), when=calls("GetItem")
    )
    with pytest.raises(StoreUnavailable):
        await store.get(C, p, "1")
    proxy.inject(math.inf)
    with pytest.raises(StoreUnavailable):
        await store.get(C, p, "1")


@pytest.mark.parametrize("code", ["ValidationException", "ItemCollectionSizeLimitExceededException", "SomethingNew"])
async def test_a_write_that_is_invalid_is_refused_for_good(proxy, store, p, code):
    proxy.inject(1, refused(code), when=calls("PutItem"))
    with pytest.raises(StoreRefused, match=code):
        await store.put(C, p, "1", {})


async def test_a_transaction_with_a_write_that_is_invalid_is_refused_for_good(proxy, store, p):
    reasons = [{"Code": "None"}, {"Code": "ValidationError"}]
    cancelled = refused("TransactionCanceledException", CancellationReasons=reasons)
    proxy.inject(1, cancelled, when=calls("TransactWriteItems"))
    with pytest.raises(StoreRefused, match="ValidationError"):
        await store.commit(C, p, [Put("1", {}), Put("2", {})])


async def test_a_login_that_ended_is_unavailable(proxy, store, p):
    proxy.inject(1, refused("ExpiredTokenException"), when=calls("PutItem"))
    with pytest.raises(StoreUnavailable, match="ExpiredToken"):
        await store.put(C, p, "1", {})


async def test_a_missing_table_and_a_refused_role_say_what_to_look_at(proxy, store, p):
    nowhere = DocumentStore(document_store.open(f"dynamodb://{REGION}/nowhere?endpoint=http://{proxy.host}"))
    with pytest.raises(StoreUnavailable, match="TWOFOLD_STORE_URL"):
        await nowhere.get(C, p, "1")
    await nowhere.close()
    proxy.inject(1, refused("AccessDeniedException"), when=calls("GetItem"))
    with pytest.raises(StoreUnavailable, match="role"):
        await store.get(C, p, "1")


async def test_a_point_read_and_a_point_write_are_one_request_each(proxy, store, p):
    await store.put(C, p, "1", {})
    proxy.requests.clear()
    await store.put(C, p, "2", {}, condition=ABSENT)
    await store.get(C, p, "2")
    assert len(proxy.requests) == 2
