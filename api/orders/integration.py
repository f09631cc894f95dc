"""What other services may know about orders: published from the feed, each with an id that a repetition keeps."""

from api.orders import events
from twofold.bootstrap import Services
from twofold.portable.event_store import Commit
from twofold.portable.message import Message

PUBLISHED = {
    events.PLACED: "orders.placed",
    events.PAID: "orders.paid",
    events.SHIPPED: "orders.shipped",
    events.CANCELLED: "orders.cancelled",
    events.EXPIRED: "orders.expired",
}


async def publish(services: Services, commit: Commit) -> None:
    """The feed consumer: tells that something happened to an order, and to which; the API tells the rest."""
    order_id = commit.stream.removeprefix("order-")
    envelopes = [
        Message(PUBLISHED[event.type], {"order": order_id, "number": event.number}, id=f"{order_id}-{event.number}")
        for event in commit.events
        if event.type in PUBLISHED
    ]
    await services.publisher.publish(envelopes)
