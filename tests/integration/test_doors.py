"""The same odd request through all three doors: status, headers and body are the same."""

import json
from contextlib import ExitStack

import httpx
import pytest

from tests.integration.doors import DOORS, door
from tests.integration.tokens import bearer
from tests.integration.walk import ORDER

ITS_OWN = {"date", "x-request-id", "content-length", "transfer-encoding", "connection", "keep-alive"}
"""What each answer has anew, or its server adds for the connection."""
JSON = {"content-type": "application/json"}
BODY = json.dumps(ORDER).encode()
REQUESTS = {
    "none such": ("GET", "/none", {}, b""),
    "encoded path": ("GET", "/orders/%2e%2e%2fetc%2fpasswd", {}, b""),
    "no UTF-8 in the path": ("GET", "/orders/%ff%fe", {}, b""),
    "no body": ("POST", "/orders", {}, b""),
    "no media type": ("POST", "/orders", {}, BODY),
    "plain text": ("POST", "/orders", {"content-type": "text/plain"}, BODY),
    "a form": ("POST", "/orders", {"content-type": "application/x-www-form-urlencoded"}, b"customer_id=c-1"),
    "another charset": ("POST", "/orders", {"content-type": "application/json; charset=utf-16"}, BODY),
    "coded": ("POST", "/orders", JSON | {"content-encoding": "gzip"}, BODY),
    "no JSON": ("POST", "/orders", JSON, b"{"),
    "a name twice": ("POST", "/orders", JSON, b'{"currency": "EUR", "currency": "USD"}'),
    "no UTF-8": ("POST", "/orders", JSON, b'{"currency": "\xff"}'),
    "half a pair": ("POST", "/orders", JSON, b'{"\\ud800": 1}'),
    "too deep": ("POST", "/orders", JSON, b"[" * 100_000),
    "too long": ("POST", "/orders", JSON, b" " * (3 * 1024 * 1024 + 1)),
    "an unknown member": ("POST", "/orders", JSON, json.dumps(ORDER | {"admin": True}).encode()),
    "a number as text": ("POST", "/orders", JSON, json.dumps(ORDER | {"currency": 1}).encode()),
    "another method": ("PUT", "/orders", JSON, BODY),
    "a long query": ("GET", "/customers/c-1/orders?cursor=" + "x" * 4096, {}, b""),
    "a long URL": ("GET", "/" + "x" * 8192, {}, b""),
    "long header fields": ("GET", "/health/live", {"x-long": "x" * 10_240}, b""),
    "many header fields": ("GET", "/health/live", {f"x-{n}": "1" for n in range(80)}, b""),
    "a bad idempotency key": ("POST", "/orders", JSON | {"idempotency-key": "a b"}, BODY),
    "a stale version": ("POST", "/orders/none/payment", JSON | {"if-match": "junk"}, b"{}"),
    "a preflight without CORS": (
        "OPTIONS", "/orders", {"origin": "https://x.example", "access-control-request-method": "POST"}, b"",
    ),
    "the docs": ("GET", "/docs", {}, b""),
    "their redirect": ("GET", "/docs/oauth2-redirect", {}, b""),
    "OpenAPI": ("GET", "/openapi.json", {}, b""),
}  # fmt: skip
STATUSES = {
    "none such": 404, "no media type": 415, "coded": 415, "no JSON": 400, "a name twice": 400, "half a pair": 400,
    "too deep": 422, "too long": 413, "a long query": 414, "long header fields": 431, "many header fields": 431,
    "the docs": 200,
}  # fmt: skip


@pytest.fixture(scope="module")
def clients(tmp_path_factory):
    clients = {}
    with ExitStack() as stack:
        for name in DOORS:
            folder = tmp_path_factory.mktemp(name)
            url = stack.enter_context(door(name, folder))
            clients[name] = stack.enter_context(httpx.Client(base_url=url, headers=bearer(folder), timeout=60))
        yield clients


@pytest.mark.parametrize("case", REQUESTS)
def test_the_doors_answer_alike(clients, case):
    method, target, headers, body = REQUESTS[case]
    answers = {}
    for name, client in clients.items():
        answer = client.request(method, target, headers=headers, content=body)
        kept = sorted((key, value) for key, value in answer.headers.multi_items() if key not in ITS_OWN)
        answers[name] = (answer.status_code, kept, answer.text)
    assert answers["lambda"] == answers["local"] and answers["functions"] == answers["local"]
    assert answers["local"][0] == STATUSES.get(case, answers["local"][0]) < 500
    assert "Traceback" not in answers["local"][2] and ".py" not in answers["local"][2]
