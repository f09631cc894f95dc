"""Fuzzed methods, paths, queries, header fields and bodies, through the code of all three doors and every layer to the real app.

No crash, no hang, no 5xx; each answer is whole, and each error is a problem. `make fuzz EXAMPLES=20000` looks longer.
"""

import asyncio
import base64
import json
import os
from pathlib import Path
from urllib.parse import unquote_to_bytes

import azure.functions as func
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from api.manifest import SERVICE
from tests.depth import examples
from tests.integration.doors import UNLIMITED
from tests.integration.tokens import bearer
from tests.integration.walk import ORDER
from twofold.aws.door import Door
from twofold.azure.http_request import serve
from twofold.runtime import Runtime

EXAMPLES = int(os.environ.get("TWOFOLD_TEST_FUZZ", examples(100, 5000)))
SECONDS = 60  # until it hangs: a request takes milliseconds, and machines that run tests stall
VALID = json.dumps(ORDER).encode()

text = st.text(max_size=40)
segments = st.sampled_from(["orders", "customers", "c-1", "payment", "events", "health", "live", "docs", "", ".", ".."])
segments |= text.map(lambda value: value.encode("utf-8", "surrogatepass").decode("latin-1"))
escapes = st.sampled_from(["%00", "%2f", "%ff", "%", "%zz", "%c3%28", "%0d%0a", "%25", ";", "\\", "{order_id}", "é"])
paths = st.lists(segments | escapes, max_size=6).map(lambda parts: "/" + "/".join(parts))
queries = (
    st.lists(
        st.tuples(st.sampled_from(["limit", "cursor", "status", "x"]), text | st.integers().map(str)), max_size=4
    ).map(lambda pairs: "&".join(f"{key}={value}" for key, value in pairs))
    | text
)
NAMES = (
    "content-type", "content-length", "content-encoding", "transfer-encoding", "idempotency-key", "if-match", "origin",
    "access-control-request-method", "x-forwarded-for", "x-request-id", "authorization", "cookie", "host", "accept", "traceparent",
    "expect", "range", "forwarded", "x-http-method-override",
)  # fmt: skip
VALUES = (
    "application/json", "application/json; charset=utf-7", "application/json; charset*=x''y", "multipart/form-data; boundary=",
    "text/plain", "*/*", "-1", "1e9", "99999999999999999999", "chunked", "gzip", '"1"', '"99999999999"', "*", "null", "Bearer ",
    "Bearer a.b.c", "::1", "1.2.3.4, ::ffff:1.2.3.4%eth0:99", "00-" + "0" * 32 + "-" + "0" * 16 + "-01",
)  # fmt: skip
token = st.text(st.sampled_from("abcdefghijklmnopqrstuvwxyz0123456789-_!#$%&'*+.^`|~"), min_size=1, max_size=20)
value = st.sampled_from(VALUES) | st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=60)
headers = st.lists(st.tuples(st.sampled_from(NAMES) | token, value), max_size=12)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=10),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(), max_size=8), inner, max_size=4)
    ),
)
orders = st.fixed_dictionaries({}, optional={key: values | st.just(ORDER.get(key)) for key in (*ORDER, "x")})
bodies = (
    st.binary(max_size=200)
    | (values | orders).map(lambda value: json.dumps(value).encode())
    | st.tuples(st.integers(0, len(VALID)), st.binary(max_size=4)).map(
        lambda cut: VALID[: cut[0]] + cut[1] + VALID[cut[0] :]
    )
    | st.tuples(st.sampled_from([b"[", b'{"a":', b'"', b"\\", b"1", b" "]), st.integers(0, 5000)).map(
        lambda p: p[0] * p[1]
    )
)
methods = st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "get", "X-1"])
JSON = ("content-type", "application/json")
TOKEN = tuple(bearer().items())


class Uvicorn:
    """What uvicorn makes of a request, with the body in two parts."""

    def __init__(self, runtime):
        self.runtime, self.loop = runtime, asyncio.new_event_loop()

    def __call__(self, method, path, query, headers, body):
        raw = path.encode("latin-1")
        scope = {
            "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": method,
            "scheme": "http", "path": _unquoted(raw), "raw_path": raw, "root_path": "",
            "query_string": query.encode("utf-8", "replace"), "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers],
        }  # fmt: skip
        half = len(body) // 2
        parts = [
            {"type": "http.request", "body": body[:half], "more_body": True},
            {"type": "http.request", "body": body[half:]},
        ]
        sent = []

        async def receive():
            return parts.pop(0) if parts else {"type": "http.disconnect"}

        async def send(message):
            sent.append(message)

        self.loop.run_until_complete(asyncio.wait_for(self.runtime.asgi(scope, receive, send), SECONDS))
        assert [message["type"] for message in sent].count("http.response.start") == 1 and not sent[-1].get("more_body")
        answered = {name.decode("latin-1"): value.decode("latin-1") for name, value in sent[0]["headers"]}
        return sent[0]["status"], answered, b"".join(message.get("body", b"") for message in sent[1:])


class Functions:
    """What the Functions worker makes of it."""

    def __init__(self, runtime):
        self.runtime, self.loop = runtime, asyncio.new_event_loop()

    def __call__(self, method, path, query, headers, body):
        url = f"https://app.example{path}" + (f"?{query}" if query else "")
        request = func.HttpRequest(method, url, headers=_joined(headers), body=body)
        answer = self.loop.run_until_complete(asyncio.wait_for(serve(self.runtime.asgi, request), SECONDS))
        return answer.status_code, {key.lower(): value for key, value in answer.headers.items()}, answer.get_body()


class Lambda:
    """What API Gateway makes of it."""

    def __init__(self, runtime):
        self.door = Door(runtime)
        self.loop = self.door._loop

    def __call__(self, method, path, query, headers, body):
        http = {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "1.2.3.4", "userAgent": ""}
        event = {
            "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": query, "headers": _joined(headers),
            "requestContext": {"http": http, "requestId": "r", "stage": "$default", "timeEpoch": 0},
            "isBase64Encoded": True, "body": base64.b64encode(body).decode(),
        }  # fmt: skip
        answer = self.door(event, None)
        content = answer["body"]
        body = base64.b64decode(content) if answer["isBase64Encoded"] else content.encode()
        return answer["statusCode"], answer["headers"], body


def _unquoted(raw):
    return unquote_to_bytes(raw).decode("utf-8", "replace")


def _joined(headers):
    joined = {}
    for name, value in headers:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


@pytest.fixture(scope="module", params=[Uvicorn, Functions, Lambda])
def door(request, tmp_path_factory):
    folder: Path = tmp_path_factory.mktemp("fuzz")
    urls = {
        "STORE": f"sqlite:///{folder}/t.db",
        "QUEUE": f"sqlite:///{folder}/t.db",
        "SECRETS": f"file:///{folder}/secrets",
    }
    environ = UNLIMITED | {f"TWOFOLD_{key}_URL": url for key, url in urls.items()}
    runtime = Runtime(SERVICE, root=folder, environ=environ)
    door = request.param(runtime)
    yield door
    door.loop.run_until_complete(runtime.stop())
    door.loop.close()


@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(methods, paths, queries, headers, bodies, st.booleans())
@example("POST", "/orders", "", [], b'{"\\ud800": 1}', True)
@example("POST", "/orders", "", [("content-length", "-1")], b"[" * 100_000, True)
@example("GET", "/orders/" + "%ff" * 30, "", [], b"", False)
@example("GET", "/docs", "", [("x-long", "x" * 20_000)], b"", False)
def test_whatever_comes_is_answered(door, method, path, query, headers, body, as_json):
    fields = [*headers, *([JSON] if as_json else []), *TOKEN]
    status, answered, content = door(method, path, query, fields, body)
    assert 200 <= status < 500, content
    assert answered["x-content-type-options"] == "nosniff" and answered["x-request-id"]
    assert not any(char in value for value in answered.values() for char in "\r\n\0")
    if status >= 400 and method != "HEAD":
        assert answered["content-type"] == "application/problem+json", content
        assert json.loads(content)["status"] == status
