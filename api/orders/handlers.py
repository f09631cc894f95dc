"""What can be done with orders: read the stream, fold, decide, append."""

from collections.abc import Callable
from contextlib import suppress

from api.orders import events, views
from api.orders.commands import PlaceOrder
from api.orders.model import NotAllowed, Order, fold
from twofold.bootstrap import Services
from twofold.errors import Conflict, TwofoldError
from twofold.portable.event_store import Event, Position, RecordedEvent

PAY_WITHIN_SECONDS = 30 * 60
ATTEMPTS = 20

type Decision = Callable[[Order], list[Event]]


class OrderNotFound(TwofoldError):
    """There is no order with this id."""


class OtherCustomer(TwofoldError):
    """The order would be another customer's."""


class Stale(TwofoldError):
    """The order has moved on from the version that the caller had seen."""


def stream_of(order_id: str) -> str:
    """The name of an order's stream."""
    return f"order-{order_id}"


async def place_order(services: Services, order_id: str, command: PlaceOrder, *, customer: str | None = None) -> Order:
    """Places an order under an id; placed before under the same id (a request run again), it is returned as it is.

    `customer`, when given, may order for himself alone: else OtherCustomer.
    """
    if customer not in (None, command.customer_id):
        raise OtherCustomer(f"customer {customer!r} can't order for {command.customer_id!r}")
    stream = stream_of(order_id)
    due_at = services.documents.now() + PAY_WITHIN_SECONDS
    lines = [line.model_dump() for line in command.lines]
    event = events.placed(command.customer_id, command.currency, lines, due_at)
    with suppress(Conflict):  # an earlier run of this request placed it
        await services.events.append(stream, services.events.start(stream), [event])
    return await load(services, order_id)


async def load(services: Services, order_id: str, *, customer: str | None = None) -> Order:
    """The order; raises OrderNotFound."""
    order, _, _ = await read(services, order_id, customer=customer)
    return order


async def read(
    services: Services, order_id: str, *, customer: str | None = None
) -> tuple[Order, Position, tuple[RecordedEvent, ...]]:
    """The order, the position to append at and its history; raises OrderNotFound.

    With `customer` another customer's order is not found either: nobody learns that it exists.
    """
    stream = await services.events.read(stream_of(order_id))
    order = fold(stream.events)
    if order is None or customer not in (None, order.customer_id):
        raise OrderNotFound(f"there is no order {order_id!r}")
    return order, stream.position, stream.events


async def change(
    services: Services, order_id: str, decide: Decision, *,
    customer: str | None = None, expected: int | None = None, operation: str | None = None,
) -> Order:  # fmt: skip
    """Applies a decision and returns the order after it.

    `operation` names the request under its Idempotency-Key and is kept with its events: when it runs again, after a crash
    before its answer was stored, it meets them and returns the order as it was after them. With `expected` the order must be
    at that version, else Stale; without it a concurrent change is met by deciding again on what the order has become.
    Raises NotAllowed, OrderNotFound; Conflict after 20 lost races.
    """
    for attempt in range(ATTEMPTS):
        order, position, history = await read(services, order_id, customer=customer)
        if operation is not None and (before := _outcome(history, operation)) is not None:
            return before
        if expected is not None and order.version != expected:
            raise Stale(f"the order is at version {order.version}, not {expected}")
        decided = decide(order)
        if not decided:
            return order
        if operation is not None:
            decided = [Event(event.type, {**event.data, "operation": operation}, event.schema) for event in decided]
        try:
            await services.events.append(stream_of(order_id), position, decided)
        except Conflict:
            if attempt == ATTEMPTS - 1:
                raise
            continue
        changed = fold(
            (
                RecordedEvent(stream_of(order_id), order.version + index, event.type, event.data, event.schema, 0.0)
                for index, event in enumerate(decided)
            ),
            order,
        )
        assert changed is not None
        return changed
    raise AssertionError("the loop returns or raises")


def _outcome(history: tuple[RecordedEvent, ...], operation: str) -> Order | None:
    for index, event in enumerate(history):
        if event.data.get("operation") == operation:
            return fold(history[: index + 1])
    return None


async def expire_unpaid(services: Services) -> None:
    """The schedule: lets every order expire whose time to pay has passed. Harmless when run twice at once."""
    now = services.documents.now()
    async for order_id in views.due_orders(services, now):
        try:
            await change(services, order_id, lambda order: order.expire(now))
        except (NotAllowed, Conflict):
            continue  # it is being changed right now; the next run looks again
