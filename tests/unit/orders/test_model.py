"""The order: any sequence of commands leaves a legal history."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.orders import events
from api.orders.model import NotAllowed, fold
from twofold.portable.event_store import RecordedEvent

LINES = [{"sku": "A1", "quantity": 2, "unit_price": 1250}, {"sku": "B", "quantity": 1, "unit_price": 1}]
COMMANDS = {
    "request": lambda order: order.request_payment(),
    "confirm": lambda order: order.confirm_payment(order.payment, "r"),
    "decline": lambda order: order.decline_payment(order.payment, "no"),
    "ship": lambda order: order.ship(),
    "cancel": lambda order: order.cancel(),
    "expire": lambda order: order.expire(2000),
}


def record(history, new):
    for event in new:
        history.append(RecordedEvent("order-1", len(history), event.type, event.data, event.schema, 1000.0))


def placed():
    history = []
    record(history, [events.placed("c", "EUR", LINES, 1500)])
    return history


def after(*names):
    history = placed()
    for name in names:
        record(history, COMMANDS[name](fold(history)))
    return fold(history)


def test_placed_order():
    """A new order is what was placed, and its total."""
    order = after()
    assert (order.id, order.total, order.status, order.version, order.unpaid) == ("1", 2501, "placed", 1, True)
    assert fold([]) is None


@pytest.mark.parametrize(
    ("commands", "status"),
    [
        (["request"], "payment_pending"),
        (["request", "request"], "payment_pending"),
        (["request", "confirm", "confirm"], "paid"),
        (["request", "decline"], "placed"),
        (["request", "confirm", "ship"], "shipped"),
        (["cancel"], "cancelled"),
        (["expire"], "expired"),
        (["request", "expire"], "payment_pending"),
    ],
)
def test_transitions(commands, status):
    """Each sequence of commands leads to its status."""
    assert after(*commands).status == status


@pytest.mark.parametrize(
    ("commands", "refused"),
    [
        ([], "ship"),
        (["request"], "ship"),
        (["request"], "cancel"),
        (["cancel"], "request"),
        (["expire"], "cancel"),
        ([], "confirm"),
    ],
)
def test_refusals(commands, refused):
    """A command that the status does not allow is refused and changes nothing."""
    with pytest.raises(NotAllowed):
        COMMANDS[refused](after(*commands))


def test_earlier_payment_request():
    """The answer to an earlier request for payment settles nothing."""
    order = after("request", "decline", "request")
    assert order.awaits(3) and not order.awaits(1)
    assert order.decline_payment(1, "late") == []
    with pytest.raises(NotAllowed, match="payment 1 was captured as r"):
        order.confirm_payment(1, "r")


@given(st.lists(st.sampled_from(sorted(COMMANDS)), max_size=30))
def test_any_sequence(names):
    """No sequence of commands breaks an order."""
    history = placed()
    for name in names:
        try:
            record(history, COMMANDS[name](fold(history)))
        except NotAllowed:
            continue
    order, kinds = fold(history), [event.type for event in history]
    assert order.version == len(history)
    for kind in (events.PAID, events.SHIPPED, events.CANCELLED, events.EXPIRED):
        assert kinds.count(kind) <= 1
    ends = {events.SHIPPED, events.CANCELLED, events.EXPIRED} & set(kinds)
    assert len(ends) <= 1 and (not ends or kinds[-1] in ends)
    assert (events.SHIPPED not in kinds) or events.PAID in kinds
