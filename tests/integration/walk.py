"""One order's life over HTTP, the same through every door. `settle` lets feed and queue do their work once.

The client sends a token of the checkout; only what is open to everybody is asked for without one.
"""

import time

ANONYMOUS = {"Authorization": ""}
ORDER = {"customer_id": "c-1", "currency": "EUR", "lines": [{"sku": "A1", "quantity": 2, "unit_price": 1250}]}


def eventually(check, settle, timeout=120.0):
    """Settles until `check()` is truthy, and returns that; the last answer is in the failure."""
    deadline = time.monotonic() + timeout
    while not (answer := check()):
        assert time.monotonic() < deadline, f"still {answer!r} after {timeout} s"
        settle()
    return answer


def walk(client, settle, *, customer="c-1", key="walk-1", timeout=120.0, gateway=False):
    """Walks; behind a `gateway`, what that answers itself (no token, no route) has a form of its own."""
    order_of = ORDER | {"customer_id": customer}
    placed = client.post("/orders", json=order_of, headers={"Idempotency-Key": key})
    assert placed.status_code == 201, placed.text
    assert placed.json()["total"] == 2500 and placed.headers["etag"] == '"1"'
    second = client.post("/orders", json=order_of, headers={"Idempotency-Key": key})
    assert second.json() == placed.json() and second.headers["idempotency-replayed"] == "true"
    other = client.post("/orders", json=order_of | {"currency": "USD"}, headers={"Idempotency-Key": key})
    assert_problem(other, 422, "idempotency-key-reused")

    order = placed.headers["location"]
    assert client.post(f"{order}/payment", json={}).status_code == 202
    paid = eventually(lambda: (answer := client.get(order)).json()["status"] == "paid" and answer, settle, timeout)
    assert_problem(client.post(f"{order}/shipment", json={}, headers={"If-Match": '"1"'}), 412, "stale")
    shipped = client.post(f"{order}/shipment", json={}, headers={"If-Match": paid.headers["etag"]})
    assert (shipped.status_code, shipped.json()["status"]) == (200, "shipped")
    assert_problem(client.post(f"{order}/cancellation", json={}), 409, "not-allowed")

    def listed():
        page = client.get(f"/customers/{customer}/orders", params={"status": "shipped", "limit": 5}).json()
        return [row["id"] for row in page["orders"]] == [order.rsplit("/", 1)[1]]

    eventually(listed, settle, timeout)
    history = [event["type"] for event in client.get(f"{order}/events").json()["events"]]
    assert history == ["OrderPlaced", "PaymentRequested", "OrderPaid", "OrderShipped"]

    nobody = client.get(order, headers=ANONYMOUS)
    nowhere = client.get("/nowhere")
    assert (nobody.status_code, nowhere.status_code) == (401, 404)
    if not gateway:
        assert_problem(nobody, 401, "unauthorized")
        assert nobody.headers["www-authenticate"] == 'Bearer realm="orders", scope="orders.read"'
        assert_problem(nowhere, 404, "not-found")
    assert_problem(client.get("/orders/none"), 404, "order-not-found")
    assert_problem(client.post("/orders", json=order_of | {"lines": []}), 422, "invalid-request")
    assert client.get("/health/live", headers=ANONYMOUS).status_code == 200
    ready = client.get("/health/ready", headers=ANONYMOUS)
    assert (ready.status_code, ready.json()["status"]) == (200, "ready"), ready.text
    assert client.get("/docs", headers=ANONYMOUS).status_code == 200
    assert client.get("/openapi.json", headers=ANONYMOUS).status_code == 200


def assert_problem(answer, status, slug):
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    assert answer.json()["type"] == f"urn:twofold:problem:{slug}"
