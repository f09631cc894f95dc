"""Request and response bodies: the contract that OpenAPI shows."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from api.orders.model import Order, Status
from twofold.portable.event_store import RecordedEvent

Key = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
CustomerKey = r"^[A-Za-z0-9_-][A-Za-z0-9._:|@-]{0,127}$"
CustomerId = Annotated[
    str, Field(pattern=CustomerKey, description="the subject of a customer's tokens", examples=["c-1"])
]
# JSON has one kind of number: 2.0 is an integer to JSON Schema, so to this API too.
INTEGRAL = BeforeValidator(lambda value: int(value) if isinstance(value, float) and value.is_integer() else value)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Line(_Body):
    """One article. `unit_price` is in minor units of the order's currency (cents of a euro)."""

    sku: Annotated[str, Field(pattern=Key, examples=["A1"])]
    quantity: Annotated[int, Field(ge=1, le=10_000, examples=[2]), INTEGRAL]
    unit_price: Annotated[int, Field(ge=0, le=1_000_000_000, examples=[1250]), INTEGRAL]


class PlaceOrder(_Body):
    """A new order."""

    customer_id: CustomerId
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$", description="ISO 4217", examples=["EUR"])]
    lines: Annotated[list[Line], Field(min_length=1, max_length=100)]


class Empty(_Body):
    """No members: `{}`."""


class OrderView(BaseModel):
    """An order as it is now. `total` is in minor units."""

    id: str
    customer_id: str
    currency: str
    lines: list[Line]
    total: int
    status: Status
    version: int

    @classmethod
    def of(cls, order: Order) -> "OrderView":
        """The view of an order."""
        return cls(
            id=order.id, customer_id=order.customer_id, currency=order.currency,
            lines=[Line(**line) for line in order.lines], total=order.total, status=order.status, version=order.version,
        )  # fmt: skip


class EventView(BaseModel):
    """One event of an order; `at` is in seconds since the epoch."""

    number: int
    type: str
    at: float
    data: dict[str, Any]

    @classmethod
    def of(cls, event: RecordedEvent) -> "EventView":
        """The view of an event; what names the request that made it stays inside."""
        data = {name: value for name, value in event.data.items() if name != "operation"}
        return cls(number=event.number, type=event.type, at=event.at, data=data)


class History(BaseModel):
    """Everything that happened to an order, in order."""

    events: list[EventView]


class OrderRow(BaseModel):
    """An order in a customer's list."""

    id: str
    status: Status
    currency: str
    total: int
    placed_at: float


class OrderList(BaseModel):
    """A page of a customer's orders, the newest first; `cursor` asks for the next one, null at the end."""

    orders: list[OrderRow]
    cursor: str | None
