"""MessageQueue: work handed to a worker, at least once, with attempts and dead letters that are equal everywhere.

Attempts are the kit's own: a failed message is sent again with a delay and a higher `attempt`, then acknowledged; after
`max_attempts` it goes to the queue's dead-letter twin with its failure beside it. So a crash between the two steps may
deliver twice, and never loses. The platform's own redrive is the backstop for a worker that dies each time.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from itertools import batched
from typing import Any, Protocol

from twofold.errors import DependencyDown, ProfileError, QueueUnavailable
from twofold.manifest import QueueSpec
from twofold.portable import profile, telemetry
from twofold.portable.failure import frames, reason
from twofold.portable.logs import Outcome, event
from twofold.portable.message import Message
from twofold.portable.metrics import DEAD_LETTERS, MESSAGES, QUEUE_AGE, observe
from twofold.portable.telemetry import CONSUMER, OFF, PRODUCER, Attributes, Telemetry

UNREADABLE = "twofold.unreadable"
"""The type of a dead letter that is made of what was no envelope."""
RETRY_BASE_SECONDS = 2
"""The longest delay before the second attempt; it doubles with each further one, up to the profile's 15 minutes."""
DOWN_SECONDS = 30
"""The longest delay of a message whose handler found something down."""
DEADLINE_SECONDS = 8.0
"""So long a queue is waited for: who asks for it, a request or an operator, has an answer in time."""
BATCH = 10
"""So many of a batch are sent within one deadline: one call of SQS."""
log = logging.getLogger("twofold.queue")


class RetryLater(Exception):
    """A handler's word that a message can't be worked off now: it comes again after `seconds`, and no attempt is counted."""

    def __init__(self, why: str, *, seconds: int) -> None:
        self.seconds = seconds
        super().__init__(why)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A received envelope. It is invisible to others until its visibility ends; `receipt` settles it before that.

    Without a receipt it came by a trigger, and the platform acknowledges it when the trigger's function returns.
    """

    queue: str
    body: str
    receipt: str | None = None


class QueueDriver(Protocol):
    """What a queue backend implements: opaque texts, at least once, order not promised. Raises `QueueUnavailable`."""

    system: str
    """What it is in traces: OpenTelemetry's `messaging.system`."""

    async def send(self, queue: str, body: str, *, delay: int) -> None:
        """Durably stored when this returns; visible after `delay` seconds."""
        ...

    async def send_batch(self, queue: str, bodies: Sequence[str], *, delay: int) -> Sequence[str | None]:
        """Sends each on its own; for each None, or what kept it from being stored."""
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

    async def ping(self, queue: str) -> None:
        """One cheap round trip that takes no more rights than to send has; raises `QueueUnavailable`."""
        ...

    async def depth(self, queue: str) -> int:
        """How many messages wait or are in hand (approximate in the cloud)."""
        ...

    async def close(self) -> None:
        """Releases connections."""
        ...


type Handler = Callable[[Message], Awaitable[None]]


def dead_letter_name(queue: str) -> str:
    """The name of a queue's dead-letter twin: the one that the Functions host gives its own, so that there is one for both."""
    return f"{queue}-poison"


class MessageQueue:
    """The queues of one service, by the names in its manifest.

    - `send` returns once the message is stored; it is delivered at least once, in no promised order.
    - `handle` runs a delivery: success acknowledges; failure sends again with a growing delay; after `max_attempts`
      failures the message is dead-lettered with its failure. Only then is the delivery acknowledged.
    - That a dependency is down, or its breaker open (`DependencyDown`), is not the message's failure: it comes again as it is,
      for as long as that takes.
    - A backend that does not answer within `DEADLINE_SECONDS` is `QueueUnavailable`.
    """

    def __init__(
        self, driver: QueueDriver, specs: Sequence[QueueSpec], *, source: str, telemetry: Telemetry = OFF
    ) -> None:
        self.driver, self._telemetry = driver, telemetry
        self._specs: Mapping[str, QueueSpec] = {spec.name: spec for spec in specs}
        self._source = source

    async def send(self, queue: str, message: Message, *, delay: int = 0) -> None:
        """Hands over one message, to be seen after `delay` seconds (0 to 900). Raises ProfileError, QueueUnavailable."""
        self._check(queue, delay)
        with self._sending(queue, {"messaging.message.id": message.id}):
            await within_deadline(self.driver.send(queue, self._traced(message), delay=delay))

    async def send_batch(
        self, queue: str, messages: Sequence[Message], *, delay: int = 0
    ) -> Sequence[QueueUnavailable | None]:
        """Hands over many messages in few round trips; for each None, or why it was not stored: send that one again.

        Once the queue did not answer in time, the rest is not sent: whoever waits has an answer.
        """
        self._check(queue, delay)
        with self._sending(queue, {"messaging.batch.message_count": len(messages)}):
            bodies = [self._traced(message) for message in messages]
            failures: list[str | None] = []
            for chunk in batched(bodies, BATCH, strict=False):
                try:
                    failures += await within_deadline(self.driver.send_batch(queue, chunk, delay=delay))
                except QueueUnavailable as exc:
                    failures += [str(exc)] * (len(bodies) - len(failures))
                    break
        return [None if failure is None else QueueUnavailable(failure) for failure in failures]

    async def receive(self, queue: str, *, limit: int = 10) -> Sequence[Delivery]:
        """Up to `limit` deliveries, each hidden from other workers for the queue's visibility time."""
        return await within_deadline(
            self.driver.receive(queue, limit=limit, visibility=self._spec(queue).visibility_seconds)
        )

    async def handle(self, delivery: Delivery, handler: Handler) -> bool:
        """Runs the handler on a delivery and settles it; True when it succeeded.

        Raises QueueUnavailable when the failed message could not be sent again: then it is not acknowledged either.
        """
        spec, started = self._spec(delivery.queue), time.perf_counter()
        error: Exception | None = None
        try:
            message = Message.decode(delivery.body)
        except ValueError as exc:
            message = Message(UNREADABLE, {"body": delivery.body[:10_000]}, attempt=spec.max_attempts)
            error = exc
        attributes = {
            **self._attributes(spec.name, "process"),
            "messaging.message.id": message.id,
            "twofold.attempt": message.attempt,
        }
        # The sender is the parent, not a link: one message, handled once a span, in the trace that caused it.
        with self._telemetry.entry(f"process {spec.name}", CONSUMER, message.traceparent, attributes) as span:
            if error is None:
                # Before it is worked on: what ends the process leaves this line, and no other.
                log.info(
                    "queue %s: %s begins, attempt %d", spec.name, message.id, message.attempt,
                    extra={"ecs": {"labels.queue": spec.name, "labels.message": message.id}},
                )  # fmt: skip
                error = await _failure(handler(message))
            if error is not None:
                span.fail(type(error).__qualname__)
            ending, level = await self._settle(delivery, spec, message, error)
            age = None if message.sent_at is None else max(0.0, round(time.time() - message.sent_at, 3))
            outcome: Outcome = "success" if error is None else "failure"
            observe(MESSAGES, time.perf_counter() - started, queue=spec.name, outcome=outcome)
            if age is not None:
                observe(QUEUE_AGE, age, queue=spec.name)
            event(
                log, "message", f"queue {spec.name}: {message.id} {ending}", started=started, level=level, error=error,
                outcome=outcome, twofold__age=age,
                labels__queue=spec.name, labels__message=message.id, labels__attempt=str(message.attempt),
            )  # fmt: skip
        return error is None

    async def dead_letters(self, queue: str, *, limit: int = 10, hidden: int = 60) -> Sequence[Delivery]:
        """Up to `limit` dead letters, hidden for so many seconds from the next call."""
        self._spec(queue)
        return await within_deadline(self.driver.receive(dead_letter_name(queue), limit=limit, visibility=hidden))

    async def redrive(self, queue: str, delivery: Delivery) -> None:
        """Brings one dead letter back as a first attempt; one that is no envelope as the text that it is."""
        try:
            message = Message.decode(delivery.body)
            body = (
                message.data["body"]
                if message.type == UNREADABLE
                else self._encode(message, attempt=1, failure=None, trace=None)
            )
        except ValueError:
            body = delivery.body
        await within_deadline(self.driver.send(queue, body, delay=0))
        await within_deadline(self.driver.delete(delivery))

    async def close(self) -> None:
        """Releases the driver's connections."""
        await self.driver.close()

    async def _settle(
        self, delivery: Delivery, spec: QueueSpec, message: Message, error: Exception | None
    ) -> tuple[str, int]:
        """Acknowledges, sends again or dead-letters; what to tell of it, and how loud."""
        if error is None:
            await self._acknowledge(delivery)
            return "was handled", logging.INFO
        if (seconds := _waits(error)) is not None:
            await self._send_again(delivery, spec, message, seconds)
            return f"waits: {reason(error)}", logging.WARNING
        if message.attempt >= spec.max_attempts:
            letter = self._encode(message, failure=reason(error), trace=frames(error))
            await within_deadline(self.driver.send(dead_letter_name(spec.name), letter, delay=0))
            await self._acknowledge(delivery)
            observe(DEAD_LETTERS, 1, queue=spec.name)
            return f"failed for good, attempt {message.attempt}", logging.ERROR
        longest = min(RETRY_BASE_SECONDS * 2 ** (message.attempt - 1), profile.MAX_DELAY_SECONDS)
        await self._send_again(delivery, spec, replace(message, attempt=message.attempt + 1), longest)
        return f"failed, attempt {message.attempt}", logging.WARNING

    async def _send_again(self, delivery: Delivery, spec: QueueSpec, message: Message, longest: int) -> None:
        delay = random.randint((longest + 1) // 2, longest)  # noqa: S311 - jitter
        await within_deadline(self.driver.send(spec.name, self._encode(message), delay=delay))
        await self._acknowledge(delivery)

    def _sending(self, queue: str, attributes: Attributes) -> AbstractContextManager[object]:
        return telemetry.span(f"send {queue}", PRODUCER, {**self._attributes(queue, "send"), **attributes})

    def _attributes(self, queue: str, operation: str) -> dict[str, str | int]:
        return {
            "messaging.system": self.driver.system,
            "messaging.destination.name": queue,
            "messaging.operation.name": operation,
            "messaging.operation.type": operation,
        }

    def _traced(self, message: Message) -> str:
        """The envelope; its receiver continues the trace of the span under way."""
        return self._encode(message, traceparent=message.traceparent or telemetry.traceparent())

    def _encode(self, message: Message, **changes: Any) -> str:
        return replace(message, **changes).encode(self._source)

    async def _acknowledge(self, delivery: Delivery) -> None:
        if delivery.receipt is not None:
            await within_deadline(self.driver.delete(delivery))

    def _check(self, queue: str, delay: int) -> None:
        self._spec(queue)
        if not 0 <= delay <= profile.MAX_DELAY_SECONDS:
            raise ProfileError(f"delay is {delay} s; it must be 0 to {profile.MAX_DELAY_SECONDS}")

    def _spec(self, queue: str) -> QueueSpec:
        try:
            return self._specs[queue]
        except KeyError:
            raise ProfileError(f"queue {queue!r} is not in the manifest; it has {sorted(self._specs)}") from None


async def within_deadline[T](call: Awaitable[T]) -> T:
    """What a driver's call gives; raises QueueUnavailable when it does not within `DEADLINE_SECONDS`."""
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            return await call
    except TimeoutError as exc:
        raise QueueUnavailable(f"the queue did not answer within {DEADLINE_SECONDS:g} seconds") from exc


def _waits(error: BaseException) -> int | None:
    """How long a message waits at most for what is down, which may be the cause that a handler named; None: it has failed."""
    at: BaseException | None = error
    while at is not None:
        if isinstance(at, RetryLater):
            return at.seconds
        if isinstance(at, DependencyDown):
            return DOWN_SECONDS
        at = at.__cause__
    return None


async def _failure(work: Awaitable[None]) -> Exception | None:
    """What the handler raised: its message's failure, not the worker's."""
    try:
        await work
    except Exception as exc:
        return exc
    return None
