"""The MessageQueue's promises as tests, over any QueueDriver."""

import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from twofold.errors import ProfileError, QueueUnavailable, StoreThrottled, StoreUnavailable
from twofold.manifest import QueueSpec
from twofold.portable.message import Message
from twofold.portable.message_queue import Delivery, MessageQueue, QueueDriver, RetryLater


class MessageQueueConformance:
    """Subclass it and define `open_driver`, which makes the queue `self.name` and its dead-letter twin where need be."""

    makes_queues = False
    """Whether the backend makes a queue at its first use, as the embedded one does."""

    async def open_driver(self) -> QueueDriver:
        """A driver whose backend has, or makes, any queue."""
        raise TypeError("define open_driver in the subclass")

    @pytest_asyncio.fixture
    async def queue(self) -> AsyncIterator[MessageQueue]:
        self.name = f"q{uuid.uuid4().hex[:20]}"
        queue = MessageQueue(await self.open_driver(), [QueueSpec(self.name, "x:y", 2, 2)], source="/test")
        yield queue
        await queue.close()

    async def receive(self, queue: MessageQueue, wait: float = 5.0) -> Delivery | None:
        """The next delivery within `wait` seconds."""
        for _ in range(int(wait / 0.05)):
            if deliveries := await queue.receive(self.name, limit=1):
                return deliveries[0]
            await asyncio.sleep(0.05)
        return None

    async def test_send_and_handle(self, queue: MessageQueue) -> None:
        """A message arrives as it was sent, and is gone once it is handled."""
        seen: list[Message] = []

        async def handler(message: Message) -> None:
            seen.append(message)

        text = "ä 😀 \x01 \ufffe \uffff <a&b> ]]> \u2028"  # what XML and SQS refuse travels escaped
        sent = Message("t", {"text": text}, traceparent="00-" + "1" * 32 + "-" + "2" * 16 + "-01")
        await queue.send(self.name, sent)
        delivery = await self.receive(queue)
        assert delivery is not None and await queue.handle(delivery, handler)
        assert seen == [sent] and await queue.driver.depth(self.name) == 0

    async def test_retry_dead_letter_redrive(self, queue: MessageQueue) -> None:
        """A failing message is tried again, becomes a dead letter, and starts anew when it is redriven."""

        async def failing(message: Message) -> None:
            raise RuntimeError(f"attempt {message.attempt}")

        await queue.send(self.name, Message("t", {}, id="m"))
        for _ in range(2):
            delivery = await self.receive(queue)
            assert delivery is not None and not await queue.handle(delivery, failing)
        [dead] = await queue.dead_letters(self.name)
        letter = Message.decode(dead.body)
        assert (letter.id, letter.attempt, letter.failure) == ("m", 2, "RuntimeError: attempt 2")
        await queue.redrive(self.name, dead)
        delivery = await self.receive(queue)
        assert delivery is not None
        redriven = Message.decode(delivery.body)
        assert (redriven.id, redriven.attempt, redriven.failure) == ("m", 1, None)

    async def test_uncounted_attempts(self, queue: MessageQueue) -> None:
        """A store that is down, and RetryLater, count no attempt."""
        outcomes = {
            "down": StoreUnavailable("down"),
            "busy": StoreThrottled("busy"),
            "later": RetryLater("busy", seconds=1),
        }

        async def waiting(message: Message) -> None:
            raise outcomes[message.id]

        for message_id in outcomes:
            sent = Message("t", {}, id=message_id, attempt=2)  # the queue's last
            await queue.driver.send(self.name, sent.encode("/test"), delay=0)
            delivery = await self.receive(queue)
            assert delivery is not None and Message.decode(delivery.body) == sent
            assert not await queue.handle(delivery, waiting)
        delivery = await self.receive(queue)
        assert delivery is not None
        assert Message.decode(delivery.body).id == "later", "it comes after its second; the store is given longer"
        assert await queue.dead_letters(self.name) == []
        assert await queue.driver.depth(self.name) == 3

    async def test_redelivery(self, queue: MessageQueue) -> None:
        """What is not acknowledged comes again after its visibility timeout; what is released, at once."""
        await queue.send(self.name, Message("t", {}, id="m"))
        assert await self.receive(queue) is not None
        assert not await queue.receive(self.name)
        second = await self.receive(queue)
        assert second is not None and Message.decode(second.body).id == "m"
        await queue.driver.release(second)
        assert await self.receive(queue, 1) is not None

    async def test_batch(self, queue: MessageQueue) -> None:
        """A batch has a result for each message, and all arrive."""
        messages = [Message("t", {"n": n}) for n in range(23)]
        assert list(await queue.send_batch(self.name, messages)) == [None] * 23
        seen: list[int] = []

        async def handler(message: Message) -> None:
            seen.append(message.data["n"])

        while len(seen) < 23:
            delivery = await self.receive(queue)
            assert delivery is not None and await queue.handle(delivery, handler)
        assert sorted(seen) == list(range(23))
        assert list(await queue.send_batch(self.name, [])) == []

    async def test_stale_receipt(self, queue: MessageQueue) -> None:
        """To release or delete a message that another worker has, or that is gone, changes nothing."""
        await queue.send(self.name, Message("t", {}, id="m"))
        first = await self.receive(queue)
        assert first is not None
        second = await self.receive(queue)
        assert second is not None and second.receipt != first.receipt
        await queue.driver.release(first)
        await queue.driver.delete(second)
        await queue.driver.delete(second)
        assert not await queue.receive(self.name)

    async def test_unreadable_message(self, queue: MessageQueue) -> None:
        """What is no message becomes a dead letter at the first attempt, and is redriven as it was."""

        async def handler(message: Message) -> None:
            raise AssertionError("it can't be read")

        await queue.driver.send(self.name, "no envelope", delay=0)
        delivery = await self.receive(queue)
        assert delivery is not None and not await queue.handle(delivery, handler)
        [dead] = await queue.dead_letters(self.name)
        letter = Message.decode(dead.body)
        assert letter.data == {"body": "no envelope"} and "ValueError" in (letter.failure or "")
        await queue.redrive(self.name, dead)
        dead_letter = await self.receive(queue)
        assert dead_letter is not None and dead_letter.body == "no envelope"

    async def test_missing_queue(self, queue: MessageQueue) -> None:
        """A queue that does not exist is named by the error."""
        missing = f"missing-{uuid.uuid4().hex[:8]}"
        await queue.driver.ping(self.name)
        if self.makes_queues:
            return
        with pytest.raises(QueueUnavailable, match=missing):
            await queue.driver.ping(missing)
        with pytest.raises(QueueUnavailable, match=missing):
            await queue.driver.send(missing, "{}", delay=0)
        [failure] = await queue.driver.send_batch(missing, ["{}"], delay=0)
        assert failure is not None and missing in failure

    async def test_delay(self, queue: MessageQueue) -> None:
        """A delayed message arrives after its delay."""
        await queue.send(self.name, Message("t", {}), delay=1)
        assert not await queue.receive(self.name)
        assert await self.receive(queue) is not None

    async def test_profile_of_a_write(self, queue: MessageQueue) -> None:
        with pytest.raises(ProfileError):
            await queue.send(self.name, Message("t", {"x": "x" * 49_152}))
        with pytest.raises(ProfileError):
            await queue.send(self.name, Message("t", {}), delay=901)
        with pytest.raises(ProfileError):
            await queue.send("unknown", Message("t", {}))
        assert await queue.driver.depth(self.name) == 0
