"""The read model: a customer's orders, and the orders that wait for payment. Written from the feed, in order per order.

In the read model `orders`: partition `customer:<id>` holds a row per order, its id sorting the newest first; the row's
`version` says up to which event it is built, so that a commit delivered twice changes nothing. Partition
`unpaid:<bucket>`, id `<due>-<order id>`, lists what may expire.

First pages are cached, under the customer's mark in their keys: the projection sets a new one, after which no page of before is
read again, also one that is being loaded meanwhile. What the projector's process and this one don't share (without a Redis, or
while it is down) makes a first page at most `PAGE_SECONDS` older than it would be.
"""

import secrets
import zlib
from collections.abc import AsyncIterator
from typing import Any

from api.orders.model import Order, fold
from twofold.bootstrap import Services
from twofold.portable.document_store import ABSENT, at_version
from twofold.portable.event_store import Commit
from twofold.portable.read_model import ReadModel

ORDERS = "orders"
BUCKETS = 8
PAGE_SECONDS, MARK_SECONDS = 5, 3600
_LATEST = 10**13

type Rows = dict[str, Any]
"""`{"orders": [row, …], "cursor": text or null}`."""


async def project(services: Services, model: ReadModel, commit: Commit) -> None:
    """The projection: brings an order's row to the state after this commit."""
    order = fold((await services.events.read(commit.stream)).events)
    if order is None:
        return
    # The whole order is written each time, so that a second delivery, or one out of turn, writes the same or newer.
    await _put_newer(model, f"customer:{order.customer_id}", _row_id(order), _row(order))
    await services.cache.set(_mark_key(order.customer_id), await _mark(), MARK_SECONDS)
    bucket, due_id = _bucket(order.id), f"{order.due_at:012d}-{order.id}"
    if order.unpaid:
        await model.put(bucket, due_id, {"order": order.id})
    else:
        await model.delete(bucket, due_id)


async def list_orders(services: Services, customer_id: str, status: str | None, limit: int, cursor: str | None) -> Rows:
    """A page of a customer's rows, the newest first, all or those of one status."""
    model = await services.read_models.live(ORDERS)
    if cursor is not None:
        return await _page(model, customer_id, status, limit, cursor)
    mark = await services.cache.get_or_load(_mark_key(customer_id), MARK_SECONDS, _mark)
    key = f"orders-1:{mark}:{model.name}:{status}:{limit}:{customer_id}"
    page: Rows = await services.cache.get_or_load(
        key, PAGE_SECONDS, lambda: _page(model, customer_id, status, limit, None)
    )
    return page


async def _page(model: ReadModel, customer_id: str, status: str | None, limit: int, cursor: str | None) -> Rows:
    rows: list[Any] = []
    while True:
        page = await model.query(f"customer:{customer_id}", limit=limit if status is None else 100, cursor=cursor)
        for document in page.documents:
            if status is None or document.body["status"] == status:
                rows.append(document.body)
                if len(rows) == limit:
                    last = document is page.documents[-1] and page.cursor is None
                    return {"orders": rows, "cursor": None if last else document.id}
        if (cursor := page.cursor) is None:
            return {"orders": rows, "cursor": None}


async def due_orders(services: Services, now: int) -> AsyncIterator[str]:
    """The ids of the orders that were due before `now` and not paid when last seen."""
    model = await services.read_models.live(ORDERS)
    for bucket in range(BUCKETS):
        async for document in model.query_all(f"unpaid:{bucket}", end=f"{now + 1:012d}"):
            yield document.body["order"]


async def _put_newer(model: ReadModel, partition: str, order_id: str, row: dict[str, Any]) -> None:
    document = await model.get(partition, order_id)
    if document is None:
        await model.put(partition, order_id, row, condition=ABSENT)
    elif document.body["version"] < row["version"]:
        # A Conflict is another projector's write: the feed tries this commit again and finds it done.
        await model.put(partition, order_id, row, condition=at_version(document.version))


def _row(order: Order) -> dict[str, Any]:
    return {
        "id": order.id,
        "status": order.status,
        "currency": order.currency,
        "total": order.total,
        "placed_at": order.placed_at,
        "version": order.version,
    }


def _row_id(order: Order) -> str:
    return f"{_LATEST - int(order.placed_at * 1000):013d}-{order.id}"


def _bucket(order_id: str) -> str:
    return f"unpaid:{zlib.crc32(order_id.encode()) % BUCKETS}"


def _mark_key(customer_id: str) -> str:
    return f"orders-of:{customer_id}"


async def _mark() -> str:
    return secrets.token_hex(8)
