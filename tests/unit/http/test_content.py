"""Bodies, targets and header fields: what is refused before the application, and what reaches it as it was sent."""

import json
from typing import Annotated

import pytest
from fastapi import Body, FastAPI, Request
from pydantic import BaseModel

from tests.cost import growth
from tests.unit.http.serving import serving, slug
from twofold.http import problem
from twofold.http.content import check_json, depth
from twofold.portable import profile

JSON = {"content-type": "application/json"}


class Thing(BaseModel):
    name: str
    more: dict | list | None = None


def application():
    app = FastAPI()
    problem.install(app)

    @app.post("/things/{thing_id}")
    async def create(thing_id: str, thing: Thing):
        return thing

    @app.post("/upload", openapi_extra={"requestBody": {"content": {"multipart/form-data": {}}}})
    async def upload(request: Request):
        return {"size": len(await request.body())}

    @app.post("/text")
    async def text(text: Annotated[str, Body(media_type="text/plain")]):
        return text

    @app.post("/raw")
    async def raw(request: Request):
        return {"size": len(await request.body())}

    return app


@pytest.fixture
async def client(tmp_path):
    async with serving(application(), tmp_path) as client:
        yield client


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (JSON, 200),
        ({"content-type": "application/json; charset=UTF-8"}, 200),
        ({"content-type": "application/merge-patch+json"}, 200),
        ({"content-type": "application/json; charset=latin-1"}, 415),
        (JSON | {"content-encoding": "gzip"}, 415),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
        ({"content-type": "multipart/form-data; boundary=x"}, 415),
        ({"content-type": "junk"}, 415),
        ({"content-type": ""}, 415),
        ({}, 415),
    ],
)
async def test_a_json_operation_takes_json(client, headers, status):
    answer = await client.post("/things/1", content=b'{"name": "a"}', headers=headers)
    assert answer.status_code == status, answer.text
    if status == 415:
        assert slug(answer) == "unsupported-media-type" and answer.headers["accept"] == "application/json"


async def test_other_operations_take_what_they_declare_or_anything(client):
    upload = await client.post("/upload", files={"file": ("a.bin", b"\x00" * 100_000)})
    assert upload.json()["size"] > 100_000
    assert (await client.post("/upload", json={"note": "n"})).status_code == 415
    assert (await client.post("/raw", content=b"\x00\xff", headers={"content-type": "image/x"})).json() == {"size": 2}
    assert (await client.post("/things/1", headers={"content-type": "text/plain"})).status_code == 422  # no body at all


async def test_a_long_body_is_413_though_the_framework_makes_400_of_it(client):
    async def parts():
        for _ in range(4):
            yield b"x" * 1_000_000

    answer = await client.post("/text", content=parts(), headers={"content-type": "text/plain"})
    assert (answer.status_code, slug(answer)) == (413, "content-too-large")


@pytest.mark.parametrize(
    "body",
    [
        b"{", b"nothing", b'{"name": "a"} x', b'{"name": "a", "name": "b"}', b'{"name": "a", "more": {"x": 1, "x": 1}}',
        b'{"name": "\xff"}', b'{"name": "\\ud800"}', b'{"\\udc00": 1}', b'{"name": NaN}', b'{"name": Infinity}',
        '{"name": "a"}'.encode("utf-16"), b"1" * 5000, b"\x00",
    ],
)  # fmt: skip
async def test_what_is_no_json_is_400(client, body):
    answer = await client.post("/things/1", content=body, headers=JSON)
    assert (answer.status_code, slug(answer)) == (400, "invalid-json")


async def test_a_name_may_recur_in_another_object_and_pairs_of_surrogates_are_text(client):
    body = b'{"name": "\\ud83d\\ude00", "more": [{"name": 1}, {"name": 2}]}'
    answer = await client.post("/things/1", content=body, headers=JSON)
    assert answer.json() == {"name": "😀", "more": [{"name": 1}, {"name": 2}]}


async def test_json_may_be_64_levels_deep(client):
    def nested(levels):
        return b'{"name": "a", "more": ' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"

    assert (await client.post("/things/1", content=nested(64), headers=JSON)).status_code == 200
    for body in (nested(65), b"[" * 100_000, b'{"a":' * 100_000, b"[" * 100_000 + b"]" * 100_000):
        answer = await client.post("/things/1", content=body, headers=JSON)
        assert (answer.status_code, slug(answer)) == (422, "limit-exceeded")


def test_depth_counts_brackets_outside_of_strings():
    for value in ("[{", '"[[[\\"[[" ', {"[": ["}"]}, [[], [[{"a\\": []}]]], "\\"):
        text = json.dumps(value)
        check_json(text.encode())
        expected = 0 if isinstance(value, str) else 2 if isinstance(value, dict) else 5
        assert depth(text.encode()) == expected, text


@pytest.mark.parametrize("body", [b"[" * 3_000_000, b"[]" * 1_500_000, b'"' + b'\\"' * 1_500_000, b'"\\' * 1_500_000])
def test_the_scan_is_linear(body):
    assert growth(depth, body) < 32  # 64 were quadratic


async def test_targets_and_header_fields_have_limits(client):
    fits = await client.post("/raw?q=" + "x" * (profile.MAX_QUERY_BYTES - 2))
    assert fits.status_code == 200
    for target in ("/raw?q=" + "x" * (profile.MAX_QUERY_BYTES - 1), "/" + "x" * profile.MAX_TARGET_BYTES):
        answer = await client.post(target)
        assert (answer.status_code, slug(answer)) == (414, "uri-too-long")
    assert (await client.post("/raw", headers={"x-a": "x" * 9_000})).status_code == 200
    for headers in ([("x-a", "x" * profile.MAX_HEADER_BYTES)], [(f"x-{n}", "") for n in range(profile.MAX_HEADERS)]):
        answer = await client.post("/raw", headers=headers)
        assert (answer.status_code, slug(answer)) == (431, "request-header-fields-too-large")
