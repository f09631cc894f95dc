"""What happens to an order. Stored for ever: change a shape only with a new schema and an upcaster in `UPCASTERS`."""

from typing import Any

from twofold.portable.event_store import Event, Upcasters

PLACED = "OrderPlaced"
PAYMENT_REQUESTED = "PaymentRequested"
PAID = "OrderPaid"
PAYMENT_DECLINED = "PaymentDeclined"
SHIPPED = "OrderShipped"
CANCELLED = "OrderCancelled"
EXPIRED = "OrderExpired"

UPCASTERS: Upcasters = {}


def placed(customer_id: str, currency: str, lines: list[dict[str, Any]], due_at: int) -> Event:
    """A customer ordered; unpaid at `due_at` (seconds since the epoch), the order expires."""
    return Event(PLACED, {"customer_id": customer_id, "currency": currency, "lines": lines, "due_at": due_at})


def payment_requested() -> Event:
    """The customer wants to pay; a worker asks the provider."""
    return Event(PAYMENT_REQUESTED, {})


def paid(reference: str) -> Event:
    """The provider has the money, under this reference."""
    return Event(PAID, {"reference": reference})


def payment_declined(reason: str) -> Event:
    """The provider refused; payment may be requested again."""
    return Event(PAYMENT_DECLINED, {"reason": reason})


def shipped() -> Event:
    """The goods have left."""
    return Event(SHIPPED, {})


def cancelled() -> Event:
    """The customer no longer wants it."""
    return Event(CANCELLED, {})


def expired() -> Event:
    """Nobody paid in time."""
    return Event(EXPIRED, {})
