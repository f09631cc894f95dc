"""EventPublisher: what others may know, sent out as CloudEvents 1.0: to EventBridge, Event Grid, or a webhook.

A service publishes from a feed consumer, so that a commit's events leave at least once, in order per stream, also when the
process dies between commit and publish; the events' ids are stable, so that a receiver knows a repetition.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from twofold.errors import ProfileError
from twofold.portable import telemetry
from twofold.portable.message import Message

INVALID = (400, 413)
"""What a receiver answers over HTTP to an event that it will never take."""


class PublisherDriver(Protocol):
    """What a backend implements. Raises `PublisherUnavailable`, or `EventsRefused` for what it will never take."""

    system: str
    """What it is in traces: OpenTelemetry's `messaging.system`."""

    async def publish(self, envelopes: Sequence[str]) -> None:
        """Hands over all of them; when it raises, some may have been handed over."""
        ...

    async def close(self) -> None:
        """Releases connections."""
        ...


def chunks(envelopes: Sequence[str], most: int, size: int) -> Iterator[Sequence[str]]:
    """The envelopes in their order, in runs of at most `most` of them and `size` bytes; what is larger alone stands alone."""
    chunk: list[str] = []
    room = size
    for envelope in envelopes:  # ASCII: as many bytes as characters
        if chunk and (len(chunk) == most or len(envelope) > room):
            yield chunk
            chunk, room = [], size
        chunk.append(envelope)
        room -= len(envelope)
    if chunk:
        yield chunk


class EventPublisher:
    """`publish` returns once the events are accepted. It refuses types that the manifest does not declare."""

    def __init__(self, driver: PublisherDriver, types: Sequence[str], *, source: str) -> None:
        self.driver = driver
        self._types, self._source = frozenset(types), source

    async def publish(self, events: Sequence[Message]) -> None:
        """Raises ProfileError, before anything is sent; PublisherUnavailable: then publish all of them again; EventsRefused."""
        for event in events:
            if event.type not in self._types:
                raise ProfileError(f"{event.type!r} is not published by the manifest; it has {sorted(self._types)}")
        if not events:
            return
        attributes: dict[str, str | int] = {
            "messaging.system": self.driver.system,
            "messaging.operation.name": "publish",
            "messaging.operation.type": "send",
            "messaging.batch.message_count": len(events),
        }
        with telemetry.span("publish events", telemetry.PRODUCER, attributes):
            traceparent = telemetry.traceparent()
            await self.driver.publish(
                [replace(event, traceparent=event.traceparent or traceparent).encode(self._source) for event in events]
            )

    async def close(self) -> None:
        """Releases the driver's connections."""
        await self.driver.close()
