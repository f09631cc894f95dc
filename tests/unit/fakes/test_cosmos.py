"""The Cosmos fake refuses what the service refuses: each planted mistake is told in the service's shape."""

import json
import ssl
from urllib.parse import quote

import httpx
import pytest

from twofold.emulators.cosmos import CosmosFake
from twofold.emulators.managed_identity import TOKEN

DOCS = "/dbs/db/colls/docs/docs"
AUTHORIZATION = quote(f"type=aad&ver=1.0&sig={TOKEN}", safe="")
KEY = {"x-ms-documentdb-partitionkey": '["a"]'}
BATCH = {"x-ms-cosmos-is-batch-request": "true", "x-ms-cosmos-batch-atomic": "true", **KEY}
QUERY = {"x-ms-documentdb-isquery": "true", "Content-Type": "application/query+json", **KEY}
ITEM = {"id": "1", "p": "a"}


@pytest.fixture(scope="module")
def fake():
    with CosmosFake() as started:
        started.create("db", "docs")
        yield started


@pytest.fixture
def client(fake):
    with httpx.Client(
        base_url=f"https://{fake.host}",
        verify=ssl.create_default_context(cafile=fake.pem),
        headers={"Authorization": AUTHORIZATION, "x-ms-version": "2020-07-15", "x-ms-date": "now"},
    ) as client:
        client.post(DOCS, json=ITEM, headers=KEY)
        yield client


def create(body, **headers):
    return "POST", DOCS, {"json": body, "headers": KEY | headers}


def query(text, **headers):
    return "POST", DOCS, {"content": json.dumps({"query": text}), "headers": QUERY | headers}


def patch(path, times=1):
    operations = [{"op": "set", "path": path, "value": "2"}] * times
    return "PATCH", f"{DOCS}/1", {"json": {"operations": operations}, "headers": KEY}


MISTAKES = {
    "no token": (401, ("GET", "/", {"headers": {"Authorization": ""}})),
    "the account's key": (401, ("GET", "/", {"headers": {"Authorization": quote("type=master&ver=1.0&sig=x")}})),
    "no API version": (400, ("GET", "/", {"headers": {"x-ms-version": ""}})),
    "an absent container": (404, ("GET", "/dbs/db/colls/other", {})),
    "no partition key": (400, ("POST", DOCS, {"json": ITEM})),
    "a partition key that is no array": (400, ("POST", DOCS, {"json": ITEM, "headers": {"x-ms-documentdb-partitionkey": "a"}})),
    "another partition in the body": (400, create({"id": "2", "p": "b"})),
    "no id": (400, create({"p": "a"})),
    "a slash in an id": (400, create({"id": "a/b", "p": "a"})),
    "an id too long": (400, create({"id": "x" * 1024, "p": "a"})),
    "a ttl of 0": (400, create({"id": "2", "p": "a", "ttl": 0})),
    "a fractional ttl": (400, create({"id": "2", "p": "a", "ttl": 1.5})),
    "an item over 2 MB": (413, create({"id": "2", "p": "a", "x": "x" * 2 * 1024 * 1024})),
    "no JSON": (400, ("POST", DOCS, {"content": b"{", "headers": KEY})),
    "NaN": (400, ("POST", DOCS, {"content": b'{"id": "2", "p": "a", "x": NaN}', "headers": KEY})),
    "an id that is there": (409, create(ITEM)),
    "an absent item": (404, ("GET", f"{DOCS}/none", {"headers": KEY})),
    "an item of another partition": (404, ("GET", f"{DOCS}/1", {"headers": {"x-ms-documentdb-partitionkey": '["b"]'}})),
    "a stale etag": (412, ("PUT", f"{DOCS}/1", {"json": ITEM, "headers": KEY | {"If-Match": '"other"'}})),
    "an etag without quotes": (400, ("PUT", f"{DOCS}/1", {"json": ITEM, "headers": KEY | {"If-Match": "other"}})),
    "another id than the link's": (400, ("PUT", f"{DOCS}/1", {"json": {"id": "2", "p": "a"}, "headers": KEY})),
    "an empty batch": (400, ("POST", DOCS, {"json": [], "headers": BATCH})),
    "a batch of 101": (400, ("POST", DOCS, {"json": [{"operationType": "Read", "id": "1"}] * 101, "headers": BATCH})),
    "a batch that is not atomic": (400, ("POST", DOCS, {"json": [], "headers": BATCH | {"x-ms-cosmos-batch-atomic": "false"}})),
    "an unknown batch operation": (400, ("POST", DOCS, {"json": [{"operationType": "Increment"}], "headers": BATCH})),
    "a query sent as JSON": (400, query("SELECT * FROM c", **{"Content-Type": "application/json"})),
    "a query that is no SQL": (400, query("GET c")),
    "a query parameter without a value": (400, query("SELECT * FROM c WHERE c.id = @id")),
    "a patch of eleven": (400, patch("/x", 11)),
    "a patch of the id": (400, patch("/id")),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_refused(client, mistake):
    status, (method, path, more) = MISTAKES[mistake]
    answer = client.request(method, path, **more)
    assert answer.status_code == status and set(answer.json()) >= {"code", "message"}


def test_a_failed_batch_changes_nothing_and_tells_which_operation(client):
    operations = [
        {"operationType": "Create", "resourceBody": {"id": "new", "p": "a"}},
        {"operationType": "Create", "resourceBody": ITEM},
        {"operationType": "Delete", "id": "1"},
    ]
    answer = client.post(DOCS, json=operations, headers=BATCH)
    assert answer.status_code == 207 and [one["statusCode"] for one in answer.json()] == [424, 409, 424]
    assert client.get(f"{DOCS}/new", headers=KEY).status_code == 404
    assert client.get(f"{DOCS}/1", headers=KEY).status_code == 200


def test_the_change_feed_has_the_last_version_of_each_item(client):
    feed = {"A-IM": "Incremental Feed"}
    start = client.get(DOCS, headers=feed).headers["etag"]
    client.post(DOCS, json={"id": "fed", "p": "a", "n": 1}, headers=KEY)
    client.put(f"{DOCS}/fed", json={"id": "fed", "p": "a", "n": 2}, headers=KEY)
    answer = client.get(DOCS, headers=feed | {"If-None-Match": start})
    assert [(item["id"], item["n"]) for item in answer.json()["Documents"]] == [("fed", 2)]
    assert client.get(DOCS, headers=feed | {"If-None-Match": answer.headers["etag"]}).status_code == 304
