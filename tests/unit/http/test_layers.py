"""What every application gets around it: limits, headers, addresses, ids, problems. Driven without a server."""

import asyncio
import logging

import httpx
import pytest
from fastapi import FastAPI, Request, Response

from twofold import ServiceManifest
from twofold.bootstrap import bootstrap
from twofold.http import problem
from twofold.http.idempotency import operation_id
from twofold.http.pipeline import wrap
from twofold.portable.profile import MAX_HTTP_BYTES
from twofold.settings import Settings

RUNS = []
GO = asyncio.Event()


def application():
    app = FastAPI()
    problem.install(app)

    @app.post("/echo")
    async def echo(request: Request):
        return {"bytes": len(await request.body()), "client": request.client.host}

    @app.post("/things", status_code=201)
    async def create(request: Request, response: Response):
        RUNS.append(operation_id(request.scope))
        if request.headers.get("x-slow"):
            await GO.wait()
        if request.headers.get("x-fail"):
            raise RuntimeError("a secret detail")
        response.headers["Location"] = f"/things/{RUNS[-1]}"
        return {"id": RUNS[-1]}

    @app.get("/framed")
    async def framed():
        return Response("x", headers={"X-Frame-Options": "SAMEORIGIN"})

    return app


@pytest.fixture
async def client(tmp_path):
    RUNS.clear()
    manifest = ServiceManifest("t", app="x:y", blocks=frozenset({"documents"}))
    environ = {"TWOFOLD_STORE_URL": f"sqlite:///{tmp_path}/t.db"}
    settings = Settings.load(environ, manifest, tmp_path)
    services = bootstrap(settings, manifest)
    transport = httpx.ASGITransport(wrap(application(), settings, services), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as made:
        yield made
    await services.close()


def slug(answer):
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == answer.status_code
    return answer.json()["type"].removeprefix("urn:twofold:problem:")


async def test_security_headers_are_added_and_the_applications_own_kept(client):
    answer = await client.get("/framed")
    assert answer.headers["x-content-type-options"] == "nosniff" and answer.headers["cache-control"] == "no-store"
    assert answer.headers.get_list("x-frame-options") == ["SAMEORIGIN"]
    assert (await client.get("/none")).headers["x-frame-options"] == "DENY"


async def test_a_body_may_have_3_mb_and_no_more(client):
    assert (await client.post("/echo", content=b"x" * MAX_HTTP_BYTES)).json()["bytes"] == MAX_HTTP_BYTES
    answer = await client.post("/echo", content=b"x" * (MAX_HTTP_BYTES + 1))
    assert (answer.status_code, slug(answer)) == (413, "content-too-large")

    async def stream():
        for _ in range(4):
            yield b"x" * 1_000_000

    assert (await client.post("/echo", content=stream())).status_code == 413


@pytest.mark.parametrize(
    ("forwarded", "client_address"),
    [
        ("9.9.9.9, 10.0.0.7", "10.0.0.7"),
        ("10.0.0.7:4711", "10.0.0.7"),
        ("[2001:db8::1]:80", "2001:db8::1"),
        ("junk", "127.0.0.1"),
    ],
)
async def test_the_client_is_the_hop_that_the_nearest_proxy_saw(client, forwarded, client_address):
    answer = await client.post("/echo", headers={"X-Forwarded-For": forwarded})
    assert answer.json()["client"] == client_address


async def test_each_request_is_a_log_line_with_its_id_and_no_query(client, caplog):
    with caplog.at_level(logging.INFO, "twofold.request"):
        answer = await client.get("/none?token=secret", headers={"X-Request-Id": "r-1"})
        forged = await client.get("/none", headers={"X-Request-Id": 'x" injected'})
    line = caplog.records[0].ecs
    assert (line["url.path"], line["http.response.status_code"]) == ("/none", 404)
    assert line["http.request.id"] == answer.headers["x-request-id"] == "r-1"
    assert "secret" not in caplog.text and "injected" not in forged.headers["x-request-id"]


async def test_every_error_is_a_problem(client, caplog):
    assert slug(await client.get("/none")) == "not-found"
    answer = await client.put("/things")
    assert slug(answer) == "method-not-allowed" and answer.headers["allow"] == "POST"
    answer = await client.post("/things", headers={"x-fail": "1"})
    assert (answer.status_code, slug(answer)) == (500, "internal-error")
    assert "secret detail" not in answer.text and "secret detail" in caplog.text


async def test_a_key_runs_an_operation_once_and_its_id_follows_from_the_key(client):
    first = await client.post("/things", headers={"Idempotency-Key": "k"})
    again = await client.post("/things", headers={"Idempotency-Key": '"k"'})
    assert (again.status_code, again.json(), again.headers["location"]) == (
        201,
        first.json(),
        first.headers["location"],
    )
    assert "idempotency-replayed" not in first.headers and again.headers["idempotency-replayed"] == "true"
    assert len(RUNS) == 1
    await client.post("/things")
    assert len(set(RUNS)) == 2


async def test_another_request_under_a_key_a_second_at_once_and_a_bad_key_are_refused(client):
    key = {"Idempotency-Key": "k"}
    GO.clear()
    slow = asyncio.create_task(client.post("/things", headers={**key, "x-slow": "1"}))
    while not RUNS:
        await asyncio.sleep(0)
    answer = await client.post("/things", headers=key)
    assert (answer.status_code, slug(answer)) == (409, "idempotency-in-progress") and answer.headers["retry-after"]
    GO.set()
    assert (await slow).status_code == 201
    assert slug(await client.post("/things", headers=key, content=b"{}")) == "idempotency-key-reused"
    assert slug(await client.post("/things", headers={"Idempotency-Key": "x" * 256})) == "invalid-idempotency-key"
    assert slug(await client.post("/things", headers={"Idempotency-Key": '""'})) == "invalid-idempotency-key"


async def test_a_failure_is_not_kept(client):
    key = {"Idempotency-Key": "k"}
    assert (await client.post("/things", headers={**key, "x-fail": "1"})).status_code == 500
    assert (await client.post("/things", headers=key)).status_code == 201
    assert len(set(RUNS)) == 1  # the same id at both executions: what the first had created would be met again
