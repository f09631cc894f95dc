"""The service through its own HTTP layers, on the embedded store."""


async def test_life_of_a_note(client):
    """A note is created, read, replaced, listed and deleted."""
    created = await client.post("/notes", json={"text": "one"})
    note, etag = created.headers["location"], created.headers["etag"]
    assert created.status_code == 201 and (await client.get(note)).json()["text"] == "one"
    replaced = await client.put(note, json={"text": "two"}, headers={"If-Match": etag})
    assert replaced.status_code == 200 and replaced.headers["etag"] != etag
    assert [one["text"] for one in (await client.get("/notes")).json()["notes"]] == ["two"]
    assert (await client.delete(note)).status_code == 204
    assert (await client.get(note)).status_code == 404


async def test_stale_version(client):
    """Whoever has an older version is told so, and changes nothing."""
    created = await client.post("/notes", json={"text": "one"})
    note, etag = created.headers["location"], created.headers["etag"]
    await client.put(note, json={"text": "two"})
    answer = await client.put(note, json={"text": "three"}, headers={"If-Match": etag})
    assert answer.status_code == 412 and answer.json()["type"] == "urn:twofold:problem:stale"
    assert (await client.get(note)).json()["text"] == "two"


async def test_repetition(client):
    """The same request under the same key creates one note."""
    key = {"Idempotency-Key": "k1"}
    first = await client.post("/notes", json={"text": "one"}, headers=key)
    second = await client.post("/notes", json={"text": "one"}, headers=key)
    assert second.json() == first.json() and second.headers["idempotency-replayed"] == "true"
    assert len((await client.get("/notes")).json()["notes"]) == 1


async def test_pages(client):
    """The cursor leads through all notes."""
    for number in range(5):
        await client.post("/notes", json={"text": str(number)})
    texts, cursor = [], None
    while True:
        page = (await client.get("/notes", params={"limit": 2} | ({"cursor": cursor} if cursor else {}))).json()
        texts += [one["text"] for one in page["notes"]]
        if (cursor := page["cursor"]) is None:
            break
    assert sorted(texts) == ["0", "1", "2", "3", "4"]


async def test_refusals(client):
    """Who has no token, and what is no note, is refused."""
    assert (await client.get("/notes", headers={"Authorization": ""})).status_code == 401
    assert (await client.post("/notes", json={"text": ""})).status_code == 422


async def test_ready(client):
    """The service has what it needs."""
    assert (await client.get("/health/ready")).json()["status"] == "ready"
