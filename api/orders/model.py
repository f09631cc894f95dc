"""An order as the fold of its events, and what may be done to it. Pure: no I/O, no clock."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

from api.orders import events
from twofold.portable.event_store import Event, RecordedEvent

type Status = Literal["placed", "payment_pending", "paid", "shipped", "cancelled", "expired"]


class NotAllowed(Exception):
    """The order's status does not allow this."""


@dataclass(frozen=True, slots=True)
class Order:
    """One order. Money is in minor units of `currency`. `version` counts its events."""

    id: str
    customer_id: str
    currency: str
    lines: tuple[dict[str, Any], ...]
    due_at: int
    placed_at: float
    status: Status = "placed"
    version: int = 1
    payment: int | None = None
    """The number of the event that asked for payment last."""

    @property
    def total(self) -> int:
        """What the order costs, in minor units."""
        return sum(line["quantity"] * line["unit_price"] for line in self.lines)

    @property
    def unpaid(self) -> bool:
        """Whether it expires when its time comes."""
        return self.status in ("placed", "payment_pending")

    def request_payment(self) -> list[Event]:
        """Asks for payment; once asked or paid, asking again changes nothing."""
        if self.status in ("payment_pending", "paid"):
            return []
        self._require("placed", "be paid")
        return [events.payment_requested()]

    def awaits(self, request: int) -> bool:
        """Whether this very request for payment is open: not settled, and no later one in its place."""
        return self.status == "payment_pending" and self.payment == request

    def confirm_payment(self, request: int, reference: str) -> list[Event]:
        """The provider took the money; known already, it changes nothing."""
        if self.status in ("paid", "shipped"):
            return []
        if not self.awaits(request):
            raise NotAllowed(f"payment {request} was captured as {reference}, but the order is {self.status}")
        return [events.paid(reference)]

    def decline_payment(self, request: int, reason: str) -> list[Event]:
        """The provider refused."""
        return [events.payment_declined(reason)] if self.awaits(request) else []

    def ship(self) -> list[Event]:
        """Ships a paid order, once."""
        self._require("paid", "be shipped")
        return [events.shipped()]

    def cancel(self) -> list[Event]:
        """Cancels an order that nobody has paid or is just paying."""
        self._require("placed", "be cancelled")
        return [events.cancelled()]

    def expire(self, now: float) -> list[Event]:
        """Lets an order expire that was not paid in time; one whose payment is under way is left to it."""
        return [events.expired()] if self.status == "placed" and now >= self.due_at else []

    def _require(self, status: Status, action: str) -> None:
        if self.status != status:
            raise NotAllowed(f"an order that is {self.status} can't {action}")


_STATUS: dict[str, Status] = {
    events.PAYMENT_REQUESTED: "payment_pending",
    events.PAYMENT_DECLINED: "placed",
    events.PAID: "paid",
    events.SHIPPED: "shipped",
    events.CANCELLED: "cancelled",
    events.EXPIRED: "expired",
}


def fold(history: Iterable[RecordedEvent], order: Order | None = None) -> Order | None:
    """The order after these events, from the beginning or from an earlier state; None without any event."""
    for event in history:
        if event.type == events.PLACED:
            data = event.data
            order = Order(
                event.stream.removeprefix("order-"),
                data["customer_id"], data["currency"], tuple(data["lines"]), data["due_at"], event.at,
            )  # fmt: skip
        elif order is not None:
            payment = event.number if event.type == events.PAYMENT_REQUESTED else order.payment
            order = replace(
                order, status=_STATUS.get(event.type, order.status), version=event.number + 1, payment=payment
            )
    return order
