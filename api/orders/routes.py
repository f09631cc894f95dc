"""The HTTP contract of orders."""

import re
from collections.abc import Awaitable
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Request, Response, Security

from api.manifest import SERVICE
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
)
from api.orders.handlers import Decision
from api.orders.model import NotAllowed, Order, Status
from twofold.bootstrap import Services
from twofold.http.auth import authorize, forbidden
from twofold.http.idempotency import operation_id, operation_key
from twofold.http.openapi import responses
from twofold.http.problem import Problem
from twofold.portable.access_token import Principal

OrderId = Annotated[str, Path(pattern=Key)]
IfMatch = Annotated[str | None, Header(description="the ETag of the version that the caller has seen")]
IdempotencyKey = Annotated[
    str | None, Header(pattern="^[!-~]{1,255}$", description="a repetition with the same key gets the first answer")
]
Reader = Annotated[Principal, Security(authorize, scopes=["orders.read"])]
Writer = Annotated[Principal, Security(authorize, scopes=["orders.write"])]
ADMIN = "orders.admin"
_ETAG = re.compile(r'"(\d{1,9})"')


def routes(services: Services) -> APIRouter:
    """Every route of the service, over these services."""
    router = APIRouter(tags=["orders"])

    @router.post("/orders", status_code=201, operation_id="placeOrder", responses=responses(409))
    async def place(
        command: PlaceOrder, caller: Writer, request: Request, response: Response,
        idempotency_key: IdempotencyKey = None,
    ) -> OrderView:  # fmt: skip
        """Places an order. It expires when it is not paid within 30 minutes."""
        order_id, customer = operation_id(request.scope), _customer(caller)
        order = await _done(handlers.place_order(services, order_id, command, customer=customer))
        response.headers["Location"] = f"/orders/{order.id}"
        return _answer(order, response)

    @router.get("/orders/{order_id}", operation_id="getOrder", responses=responses(404, 503))
    async def get(order_id: OrderId, caller: Reader, response: Response) -> OrderView:
        """An order as it is now, with its version as ETag."""
        return _answer(await _done(handlers.load(services, order_id, customer=_customer(caller))), response)

    @router.get("/orders/{order_id}/events", operation_id="getOrderEvents", responses=responses(404, 503))
    async def history(order_id: OrderId, caller: Reader) -> History:
        """Everything that happened to an order."""
        _, _, events = await _done(handlers.read(services, order_id, customer=_customer(caller)))
        return History(events=[EventView.of(event) for event in events])

    @router.post(
        "/orders/{order_id}/payment", status_code=202, operation_id="payOrder", responses=responses(404, 409, 412)
    )
    async def pay(
        order_id: OrderId, caller: Writer, request: Request, response: Response, body: Empty | None = None,
        if_match: IfMatch = None, idempotency_key: IdempotencyKey = None,
    ) -> OrderView:  # fmt: skip
        """Asks for payment; a worker charges the customer and the order becomes paid."""
        return await _change(order_id, lambda order: order.request_payment(), if_match, caller, request, response)

    @router.post("/orders/{order_id}/shipment", operation_id="shipOrder", responses=responses(404, 409, 412))
    async def ship(
        order_id: OrderId, caller: Writer, request: Request, response: Response, body: Empty | None = None,
        if_match: IfMatch = None, idempotency_key: IdempotencyKey = None,
    ) -> OrderView:  # fmt: skip
        """Ships a paid order."""
        return await _change(order_id, lambda order: order.ship(), if_match, caller, request, response)

    @router.post("/orders/{order_id}/cancellation", operation_id="cancelOrder", responses=responses(404, 409, 412))
    async def cancel(
        order_id: OrderId, caller: Writer, request: Request, response: Response, body: Empty | None = None,
        if_match: IfMatch = None, idempotency_key: IdempotencyKey = None,
    ) -> OrderView:  # fmt: skip
        """Cancels an order that is not paid."""
        return await _change(order_id, lambda order: order.cancel(), if_match, caller, request, response)

    @router.get("/customers/{customer_id}/orders", operation_id="listOrders", responses=responses(503))
    async def orders_of(
        customer_id: Annotated[CustomerId, Path()],
        caller: Reader,
        status: Annotated[Status | None, Query()] = None,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
        cursor: Annotated[str | None, Query(pattern=r"^\d{13}-[A-Za-z0-9._-]{1,64}$")] = None,
    ) -> OrderList:
        """A customer's orders, the newest first, as the read model has them: a moment behind the orders themselves."""
        if _customer(caller) not in (None, customer_id):
            raise _needs_admin("these are another customer's orders")
        page = await views.list_orders(services, customer_id, status, limit, cursor)
        return OrderList(orders=[OrderRow(**row) for row in page["orders"]], cursor=page["cursor"])

    async def _change(
        order_id: str, decide: Decision, if_match: str | None, caller: Principal, request: Request, response: Response
    ) -> OrderView:
        changed = handlers.change(
            services, order_id, decide,
            customer=_customer(caller), expected=_version(if_match), operation=operation_key(request.scope),
        )  # fmt: skip
        return _answer(await _done(changed), response)

    return router


def _customer(caller: Principal) -> str | None:
    """Whose orders the caller may see and change: his own, or with `orders.admin` anybody's (None)."""
    return None if ADMIN in caller.scopes else caller.subject


def _needs_admin(detail: str) -> Problem:
    return forbidden(SERVICE.name, detail, [ADMIN])


def _answer(order: Order, response: Response) -> OrderView:
    response.headers["ETag"] = f'"{order.version}"'
    return OrderView.of(order)


def _version(if_match: str | None) -> int | None:
    if if_match is None or if_match == "*":
        return None
    match = _ETAG.fullmatch(if_match)
    if match is None:
        raise Problem(412, "stale", "If-Match names no version of this order")
    return int(match[1])


async def _done[T](work: Awaitable[T]) -> T:
    try:
        return await work
    except handlers.OrderNotFound as exc:
        raise Problem(404, "order-not-found", str(exc)) from exc
    except handlers.OtherCustomer as exc:
        raise _needs_admin("an order for another customer") from exc
    except handlers.Stale as exc:
        raise Problem(412, "stale", str(exc)) from exc
    except NotAllowed as exc:
        raise Problem(409, "not-allowed", str(exc)) from exc
