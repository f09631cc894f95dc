"""Who may do what: every operation of the OpenAPI document × everybody who might call it.

The matrix is read from the document, so a new operation is in it at once; one that declares no scope fails until it is named here
as open.
"""

import uuid

import httpx
import pytest
from fastapi import FastAPI

from api.manifest import SERVICE
from tests.copies.copy import ROOT
from tests.integration.tokens import bearer
from tests.integration.walk import ORDER, assert_problem
from twofold.bootstrap import bootstrap
from twofold.runtime import Runtime
from twofold.settings import Settings

OPEN = {"live", "ready"}
UNLISTED = {
    "/openapi.json", "/docs", "/docs/oauth2-redirect", "/.well-known/openid-configuration", "/development-issuer/token",
}  # fmt: skip
"""Routes that the document does not have: itself, its page, and a checkout's issuer."""
NAMES_THE_CUSTOMER = {"placeOrder", "listOrders"}
"""Operations that say themselves whose orders they are about: for others' they are forbidden, not missing."""
CALLERS = {
    "anonymous": None,
    "owner without a scope": ("c-1", []),
    **{f"owner with {scope}": ("c-1", [scope]) for scope in SERVICE.scopes},
    "owner with read and write": ("c-1", ["orders.read", "orders.write"]),
    "other customer with read and write": ("c-2", ["orders.read", "orders.write"]),
    "admin with read and write": ("boss", ["orders.read", "orders.write", "orders.admin"]),
}


def made_runtime(folder):
    environ = {f"TWOFOLD_{block}_URL": f"sqlite:///{folder}/t.db" for block in ("STORE", "QUEUE")}
    return Runtime(SERVICE, root=folder, services=bootstrap(Settings.load(environ, SERVICE, folder), SERVICE))


def operations(document):
    """(method, path, operation id, scopes) of each; a path item has nothing else here."""
    return [
        (method, path, one["operationId"], [s for need in one.get("security", []) for s in need.get("oidc", [])])
        for path, methods in document["paths"].items()
        for method, one in methods.items()
    ]


def unguarded(document):
    return {operation_id for _, _, operation_id, scopes in operations(document) if not scopes} - OPEN


DOCUMENT = Runtime(SERVICE, root=ROOT, environ={}).build_app().openapi()
OPERATIONS = [one for one in operations(DOCUMENT) if one[2] not in OPEN]


@pytest.fixture
async def client(tmp_path):
    runtime = made_runtime(tmp_path)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(runtime.asgi), base_url="http://test") as client:
        yield client
    await runtime.stop()


def expected(caller, operation, scopes):
    """What the rules say: 401, 403, 404, or None for whatever the order's status allows."""
    if CALLERS[caller] is None:
        return 401
    subject, granted = CALLERS[caller]
    if not set(scopes) <= set(granted):
        return 403
    if "orders.admin" in granted or subject == ORDER["customer_id"]:
        return None
    return 403 if operation in NAMES_THE_CUSTOMER else 404


def test_each_operation_declares_a_scope_of_the_manifest_or_is_known_to_be_open():
    assert unguarded(DOCUMENT) == set()
    assert {scope for *_, scopes in operations(DOCUMENT) for scope in scopes} <= set(SERVICE.scopes)


def test_a_new_route_without_a_scope_is_noticed(tmp_path):
    app = made_runtime(tmp_path).build_app()

    @app.get("/orders/{order_id}/invoice", operation_id="getInvoice")
    async def invoice(order_id: str) -> str:
        return order_id

    assert unguarded(app.openapi()) == {"getInvoice"}


def test_no_route_hides_from_the_document(tmp_path):
    def paths(routes):
        for route in routes:
            nested = getattr(route, "original_router", None) or getattr(route, "router", None)
            yield from paths(nested.routes) if nested is not None else [route.path]

    app = made_runtime(tmp_path).build_app()
    assert isinstance(app, FastAPI)
    assert set(paths(app.routes)) - set(DOCUMENT["paths"]) == UNLISTED


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize(("method", "path", "operation", "scopes"), OPERATIONS, ids=[one[2] for one in OPERATIONS])
async def test_the_matrix(client, method, path, operation, scopes, caller):
    owner = bearer(subject="c-1")
    order = (await client.post("/orders", json=ORDER, headers=owner)).json()["id"]
    url = path.format(order_id=order, customer_id="c-1")
    headers = {} if CALLERS[caller] is None else bearer(subject=CALLERS[caller][0], scopes=CALLERS[caller][1])
    content = {} if method == "get" else {"json": ORDER if operation == "placeOrder" else {}}
    answer = await client.request(method, url, headers=headers, **content)
    status = expected(caller, operation, scopes)
    if status is None:
        assert answer.status_code in (200, 201, 202, 409), answer.text
        return
    assert answer.status_code == status, answer.text
    assert ("www-authenticate" in answer.headers) == (status != 404)
    events = (await client.get(f"/orders/{order}/events", headers=owner)).json()["events"]
    assert [event["type"] for event in events] == ["OrderPlaced"]  # nothing was done


@pytest.mark.parametrize(
    ("method", "path", "operation", "scopes"),
    [one for one in OPERATIONS if one[2] not in NAMES_THE_CUSTOMER],
    ids=[one[2] for one in OPERATIONS if one[2] not in NAMES_THE_CUSTOMER],
)
@pytest.mark.parametrize("headers", [{}, {"If-Match": '"1"'}, {"If-Match": '"7"'}, {"Idempotency-Key": "k"}])
async def test_anothers_order_looks_like_one_that_does_not_exist(client, method, path, operation, scopes, headers):
    order = (await client.post("/orders", json=ORDER, headers=bearer(subject="c-1"))).json()["id"]
    other = bearer(subject="c-2", scopes=["orders.read", "orders.write"]) | headers
    content = {} if method == "get" else {"json": {}}
    seen = []
    for order_id in (order, str(uuid.uuid4())):
        answer = await client.request(method, path.format(order_id=order_id), headers=other, **content)
        assert_problem(answer, 404, "order-not-found")
        varying = {"x-request-id", "date", "ratelimit"}
        fields = {name: value for name, value in answer.headers.items() if name not in varying}
        seen.append((answer.text.replace(order_id, "…"), fields))
    assert seen[0] == seen[1]


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "k"}, {"Content-Type": "text/plain"}])
async def test_without_a_token_no_body_is_read(client, headers):
    read = []

    async def body():
        read.append(1)
        yield b"["

    answer = await client.post("/orders", content=body(), headers={"Content-Type": "application/json"} | headers)
    assert_problem(answer, 401, "unauthorized")
    assert answer.headers["www-authenticate"] == 'Bearer realm="orders", scope="orders.write"'
    assert read == []


async def test_an_idempotency_key_is_its_subjects_own(client):
    key = {"Idempotency-Key": "k"}
    mine = await client.post("/orders", json=ORDER, headers=bearer(subject="c-1") | key)
    second = await client.post("/orders", json=ORDER, headers=bearer(subject="c-1") | key)
    assert second.json() == mine.json() and second.headers["idempotency-replayed"] == "true"
    theirs = await client.post("/orders", json=ORDER | {"customer_id": "c-2"}, headers=bearer(subject="c-2") | key)
    assert theirs.status_code == 201 and theirs.json()["id"] != mine.json()["id"]
    assert (await client.post("/orders", json=ORDER, headers=key)).status_code == 401


async def test_a_refusal_is_not_kept_under_a_key(client):
    key = {"Idempotency-Key": "k"}
    weak = bearer(subject="c-1", scopes=["orders.read"])
    assert (await client.post("/orders", json=ORDER, headers=weak | key)).status_code == 403
    assert (await client.post("/orders", json=ORDER, headers=bearer(subject="c-1") | key)).status_code == 201


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/docs", "/openapi.json"])
async def test_what_is_open_needs_no_token(client, path):
    assert (await client.get(path)).status_code == 200
