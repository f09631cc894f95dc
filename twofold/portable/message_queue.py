"""MessageQueue: work handed to a worker, at least once, with attempts and dead letters that are equal everywhere.

A message travels as a CloudEvents 1.0 JSON envelope. Attempts are the kit's own: a failed message is sent again with a
delay and a higher `attempt`, then acknowledged; after `max_attempts` it goes to the queue's dead-letter twin with its
failure beside it. So a crash between the two steps may deliver twice, and never loses.
"""

import json
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from twofold.errors import ProfileError
from twofold.manifest import QueueSpec
from twofold.portable import profile

RETRY_BASE_SECONDS = 2
"""Delay before the second attempt; it doubles with each further one, up to the profile's 15 minutes."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `id` is stable over redeliveries; `attempt` counts from 1; `failure` is set on dead letters only."""

    type: str
    data: dict[str, Any]
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    attempt: int = 1
    traceparent: str | None = None
    failure: str | None = None

    def encode(self, source: str) -> str:
        """The CloudEvents 1.0 JSON envelope; raises ProfileError beyond 48 KiB."""
        profile.encode_body(self.data)
        envelope: dict[str, Any] = {
            "specversion": "1.0",
            "id": self.id,
            "source": source,
            "type": self.type,
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "datacontenttype": "application/json",
            "attempt": self.attempt,
            "data": self.data,
        }
        if self.traceparent:
            envelope["traceparent"] = self.traceparent
        if self.failure:
            envelope["failure"] = self.failure[:1000]
        text = json.dumps(envelope, ensure_ascii=False, separators=(",", ":"))
        if (size := len(text.encode())) > profile.MAX_ENVELOPE_BYTES:
            raise ProfileError(f"message is {size} bytes in its envelope; the limit is {profile.MAX_ENVELOPE_BYTES}")
        return text

    @classmethod
    def decode(cls, text: str) -> "Message":
        """The message of an envelope; ValueError when it is none."""
        envelope = json.loads(text)
        try:
            return cls(
                envelope["type"], envelope["data"], envelope["id"],
                int(envelope.get("attempt", 1)), envelope.get("traceparent"), envelope.get("failure"),
            )  # fmt: skip
        except (KeyError, TypeError) as exc:
            raise ValueError(f"no CloudEvents envelope: {text[:200]!r}") from exc


@dataclass(frozen=True, slots=True)
class Delivery:
    """A received envelope. It is invisible to others until its visibility ends; `receipt` settles it before that."""

    queue: str
    body: str
    receipt: str


class QueueDriver(Protocol):
    """What a queue backend implements: opaque texts, at least once, order not promised. Raises `QueueUnavailable`."""

    async def send(self, queue: str, body: str, *, delay: int) -> None:
        """Durably stored when this returns; visible after `delay` seconds."""
        ...

    async def receive(self, queue: str, *, limit: int, visibility: int) -> Sequence[Delivery]:
        """Up to `limit` visible messages, hidden from others for `visibility` seconds; does not wait for any."""
        ...

    async def delete(self, delivery: Delivery) -> None:
        """Acknowledges; a delivery whose visibility has ended may come again."""
        ...

    async def release(self, delivery: Delivery) -> None:
        """Makes the message visible again at once, as a worker does with what it holds when it must stop."""
        ...

    async def depth(self, queue: str) -> int:
        """How many messages wait or are in hand (approximate in the cloud)."""
        ...

    async def close(self) -> None:
        """Releases connections."""
        ...


type Handler = Callable[[Message], Awaitable[None]]


def dead_letter_name(queue: str) -> str:
    """The name of a queue's dead-letter twin."""
    return f"{queue}-dead"


class MessageQueue:
    """The queues of one service, by the names in its manifest.

    - `send` returns once the message is stored; it is delivered at least once, in no promised order.
    - `handle` runs a delivery: success acknowledges; failure sends again with a growing delay; after `max_attempts`
      failures the message is dead-lettered with its failure. Only then is the delivery acknowledged.
    """

    def __init__(self, driver: QueueDriver, specs: Sequence[QueueSpec], *, source: str) -> None:
        self.driver = driver
        self._specs: Mapping[str, QueueSpec] = {spec.name: spec for spec in specs}
        self._source = source

    async def send(self, queue: str, message: Message, *, delay: int = 0) -> None:
        """Hands over one message, to be seen after `delay` seconds (0 to 900). Raises ProfileError, QueueUnavailable."""
        self._spec(queue)
        if not 0 <= delay <= profile.MAX_DELAY_SECONDS:
            raise ProfileError(f"delay is {delay} s; it must be 0 to {profile.MAX_DELAY_SECONDS}")
        await self.driver.send(queue, message.encode(self._source), delay=delay)

    async def receive(self, queue: str, *, limit: int = 10) -> Sequence[Delivery]:
        """Up to `limit` deliveries, each hidden from other workers for the queue's visibility time."""
        return await self.driver.receive(queue, limit=limit, visibility=self._spec(queue).visibility_seconds)

    async def handle(self, delivery: Delivery, handler: Handler) -> bool:
        """Runs the handler on a delivery and settles it; True when it succeeded."""
        spec = self._spec(delivery.queue)
        try:
            message = Message.decode(delivery.body)
        except ValueError as exc:
            message = Message("twofold.unreadable", {"body": delivery.body[:10_000]}, attempt=spec.max_attempts)
            await self._settle_failure(delivery, spec, message, exc)
            return False
        try:
            await handler(message)
        except Exception as exc:  # whatever a handler raises is this message's failure, not the worker's
            await self._settle_failure(delivery, spec, message, exc)
            return False
        await self.driver.delete(delivery)
        return True

    async def dead_letters(self, queue: str, *, limit: int = 10) -> Sequence[Delivery]:
        """Up to `limit` dead letters, hidden for a minute from the next call."""
        self._spec(queue)
        return await self.driver.receive(dead_letter_name(queue), limit=limit, visibility=60)

    async def redrive(self, queue: str, delivery: Delivery) -> None:
        """Brings one dead letter back as a first attempt."""
        message = Message.decode(delivery.body)
        await self.send(queue, replace(message, attempt=1, failure=None))
        await self.driver.delete(delivery)

    async def close(self) -> None:
        """Releases the driver's connections."""
        await self.driver.close()

    async def _settle_failure(self, delivery: Delivery, spec: QueueSpec, message: Message, exc: Exception) -> None:
        failure = f"{type(exc).__name__}: {exc}"
        if message.attempt >= spec.max_attempts:
            dead = replace(message, failure=failure).encode(self._source)
            await self.driver.send(dead_letter_name(spec.name), dead, delay=0)
        else:
            delay = min(RETRY_BASE_SECONDS * 2 ** (message.attempt - 1), profile.MAX_DELAY_SECONDS)
            again = replace(message, attempt=message.attempt + 1).encode(self._source)
            await self.driver.send(spec.name, again, delay=delay)
        await self.driver.delete(delivery)

    def _spec(self, queue: str) -> QueueSpec:
        try:
            return self._specs[queue]
        except KeyError:
            raise ProfileError(f"queue {queue!r} is not in the manifest; it has {sorted(self._specs)}") from None


class InlineDriver:
    """`queue_url` `feed:`: no queue at all. `send` runs the worker at once, inside the feed consumer that sends.

    A failure is raised to that consumer, whose own retries and parking then take the place of the queue's. Delays are
    refused. Declared difference, until queues exist in the cloud: there is no dead-letter queue; the feed parks instead.
    """

    def __init__(self, run: Callable[[str, Message], Awaitable[None]]) -> None:
        self._run = run

    async def send(self, queue: str, body: str, *, delay: int) -> None:
        """Runs the queue's worker on the message, raising what it raises."""
        if delay:
            raise ProfileError("queue_url is 'feed:', which can't delay messages")
        await self._run(queue, Message.decode(body))

    async def receive(self, queue: str, *, limit: int, visibility: int) -> Sequence[Delivery]:
        """Nothing: what was sent is done."""
        return ()

    async def delete(self, delivery: Delivery) -> None:
        """Nothing to acknowledge."""

    async def release(self, delivery: Delivery) -> None:
        """Nothing to return."""

    async def depth(self, queue: str) -> int:
        """Always 0."""
        return 0

    async def close(self) -> None:
        """Nothing to release."""
