"""The service through its own HTTP layers, on the embedded store."""


async def test_a_note_is_created_read_listed_replaced_and_deleted(client):
    created = await client.post("/notes", json={"text": "one"})
    note, etag = created.headers["location"], created.headers["etag"]
    assert created.status_code == 201 and (await client.get(note)).json()["text"] == "one"
    replaced = await client.put(note, json={"text": "two"}, headers={"If-Match": etag})
    assert replaced.status_code == 200 and replaced.headers["etag"] != etag
    assert [one["text"] for one in (await client.get("/notes")).json()["notes"]] == ["two"]
    assert (await client.delete(note)).status_code == 204
    assert (await client.get(note)).status_code == 404


async def test_a_stale_version_is_refused(client):
    created = await client.post("/notes", json={"text": "one"})
    note, etag = created.headers["location"], created.headers["etag"]
    await client.put(note, json={"text": "two"})
    answer = await client.put(note, json={"text": "three"}, headers={"If-Match": etag})
    assert answer.status_code == 412 and answer.json()["type"] == "urn:twofold:problem:stale"
    assert (await client.get(note)).json()["text"] == "two"


async def test_a_repetition_creates_nothing_new(client):
    key = {"Idempotency-Key": "k1"}
    first = await client.post("/notes", json={"text": "one"}, headers=key)
    second = await client.post("/notes", json={"text": "one"}, headers=key)
    assert second.json() == first.json() and second.headers["idempotency-replayed"] == "true"
    assert len((await client.get("/notes")).json()["notes"]) == 1


async def test_pages_follow_the_cursor(client):
    for number in range(5):
        await client.post("/notes", json={"text": str(number)})
    texts, cursor = [], None
    while True:
        page = (await client.get("/notes", params={"limit": 2} | ({"cursor": cursor} if cursor else {}))).json()
        texts += [one["text"] for one in page["notes"]]
        if (cursor := page["cursor"]) is None:
            break
    assert sorted(texts) == ["0", "1", "2", "3", "4"]


async def test_mistakes_and_health(client):
    assert (await client.get("/notes", headers={"Authorization": ""})).status_code == 401
    assert (await client.post("/notes", json={"text": ""})).status_code == 422
    assert (await client.get("/health/ready")).json()["status"] == "ready"
