"""The HTTP contract of orders."""

import re
from collections.abc import Awaitable
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request, Response

from api.orders import handlers, views
from api.orders.commands import (
    CustomerId,
    Empty,
    EventView,
    History,
    Key,
    OrderList,
    OrderRow,
    OrderView,
    PlaceOrder,
    ProblemView,
)
from api.orders.handlers import Decision
from api.orders.model import NotAllowed, Order, Status
from twofold.bootstrap import Services
from twofold.http.idempotency import operation_id, operation_key
from twofold.http.problem import Problem

OrderId = Annotated[str, Path(pattern=Key)]
IfMatch = Annotated[str | None, Header(description="the ETag of the version that the caller has seen")]
IdempotencyKey = Annotated[
    str | None, Header(pattern="^[!-~]{1,255}$", description="a repetition with the same key gets the first answer")
]
_ETAG = re.compile(r'"(\d{1,9})"')


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    content = {"application/problem+json": {"schema": ProblemView.model_json_schema()}}
    return {status: {"description": "problem details", "content": content} for status in (*statuses, 422, 503)}


def routes(services: Services) -> APIRouter:
    """Every route of the service, over these services."""
    router = APIRouter(tags=["orders"])

    @router.post("/orders", status_code=201, operation_id="placeOrder", responses=_problems(409))
    async def place(
        command: PlaceOrder, request: Request, response: Response, idempotency_key: IdempotencyKey = None
    ) -> OrderView:
        """Places an order. It expires when it is not paid within 30 minutes."""
        order = await handlers.place_order(services, operation_id(request.scope), command)
        response.headers["Location"] = f"/orders/{order.id}"
        return _answer(order, response)

    @router.get("/orders/{order_id}", operation_id="getOrder", responses=_problems(404))
    async def get(order_id: OrderId, response: Response) -> OrderView:
        """An order as it is now, with its version as ETag."""
        return _answer(await _found(handlers.load(services, order_id)), response)

    @router.get("/orders/{order_id}/events", operation_id="getOrderEvents", responses=_problems(404))
    async def history(order_id: OrderId) -> History:
        """Everything that happened to an order."""
        _, _, events = await _found(handlers.read(services, order_id))
        return History(events=[EventView.of(event) for event in events])

    @router.post(
        "/orders/{order_id}/payment", status_code=202, operation_id="payOrder", responses=_problems(404, 409, 412)
    )
    async def pay(
        order_id: OrderId, request: Request, response: Response, body: Empty | None = None,
        if_match: IfMatch = None, idempotency_key: IdempotencyKey = None,
    ) -> OrderView:  # fmt: skip
        """Asks for payment; a worker charges the customer and the order becomes paid."""
        return await _change(order_id, lambda order: order.request_payment(), if_match, request, response)

    @router.post("/orders/{order_id}/shipment", operation_id="shipOrder", responses=_problems(404, 409, 412))
    async def ship(
        order_id: OrderId, request: Request, response: Response, body: Empty | None = None,
        if_match: IfMatch = None, idempotency_key: IdempotencyKey = None,
    ) -> OrderView:  # fmt: skip
        """Ships a paid order."""
        return await _change(order_id, lambda order: order.ship(), if_match, request, response)

    @router.post("/orders/{order_id}/cancellation", operation_id="cancelOrder", responses=_problems(404, 409, 412))
    async def cancel(
        order_id: OrderId, request: Request, response: Response, body: Empty | None = None,
        if_match: IfMatch = None, idempotency_key: IdempotencyKey = None,
    ) -> OrderView:  # fmt: skip
        """Cancels an order that is not paid."""
        return await _change(order_id, lambda order: order.cancel(), if_match, request, response)

    @router.get("/customers/{customer_id}/orders", operation_id="listOrders", responses=_problems())
    async def orders_of(
        customer_id: Annotated[CustomerId, Path()],
        status: Annotated[Status | None, Query()] = None,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
        cursor: Annotated[str | None, Query(pattern=r"^\d{13}-[A-Za-z0-9._-]{1,64}$")] = None,
    ) -> OrderList:
        """A customer's orders, the newest first, as the read model has them: a moment behind the orders themselves."""
        page = await views.list_orders(services, customer_id, status, limit, cursor)
        return OrderList(orders=[OrderRow(**document.body) for document in page.documents], cursor=page.cursor)

    async def _change(
        order_id: str, decide: Decision, if_match: str | None, request: Request, response: Response
    ) -> OrderView:
        operation = operation_key(request.scope)
        changed = handlers.change(services, order_id, decide, expected=_version(if_match), operation=operation)
        return _answer(await _found(changed), response)

    return router


def _answer(order: Order, response: Response) -> OrderView:
    response.headers["ETag"] = f'"{order.version}"'
    return OrderView.of(order)


def _version(if_match: str | None) -> int | None:
    if if_match is None or if_match == "*":
        return None
    found = _ETAG.fullmatch(if_match)
    if found is None:
        raise Problem(412, "stale", "If-Match names no version of this order")
    return int(found[1])


async def _found[T](work: Awaitable[T]) -> T:
    try:
        return await work
    except handlers.OrderNotFound as exc:
        raise Problem(404, "order-not-found", str(exc)) from exc
    except handlers.Stale as exc:
        raise Problem(412, "stale", str(exc)) from exc
    except NotAllowed as exc:
        raise Problem(409, "not-allowed", str(exc)) from exc
