"""The MessageQueue's promises as tests, over any QueueDriver."""

import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from twofold.errors import ProfileError
from twofold.manifest import QueueSpec
from twofold.portable.message_queue import Delivery, Message, MessageQueue, QueueDriver


class MessageQueueConformance:
    """Subclass it and define `open_driver`."""

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

    async def test_a_message_is_delivered_and_acknowledged(self, queue: MessageQueue) -> None:
        seen: list[Message] = []

        async def handler(message: Message) -> None:
            seen.append(message)

        sent = Message("t", {"text": "ä 😀 \x01"}, traceparent="00-" + "1" * 32 + "-" + "2" * 16 + "-01")
        await queue.send(self.name, sent)
        delivery = await self.receive(queue)
        assert delivery is not None and await queue.handle(delivery, handler)
        assert seen == [sent] and await queue.driver.depth(self.name) == 0

    async def test_a_failure_is_tried_again_then_dead_lettered_and_redriven(self, queue: MessageQueue) -> None:
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
        again = Message.decode(delivery.body)
        assert (again.id, again.attempt, again.failure) == ("m", 1, None)

    async def test_what_is_not_acknowledged_comes_again(self, queue: MessageQueue) -> None:
        await queue.send(self.name, Message("t", {}, id="m"))
        assert await self.receive(queue) is not None
        assert not await queue.receive(self.name)
        again = await self.receive(queue)
        assert again is not None and Message.decode(again.body).id == "m"
        await queue.driver.release(again)
        assert await self.receive(queue, 1) is not None

    async def test_delay(self, queue: MessageQueue) -> None:
        await queue.send(self.name, Message("t", {}), delay=1)
        assert not await queue.receive(self.name)
        assert await self.receive(queue) is not None

    async def test_the_profile_is_enforced(self, queue: MessageQueue) -> None:
        with pytest.raises(ProfileError):
            await queue.send(self.name, Message("t", {"x": "x" * 49_152}))
        with pytest.raises(ProfileError):
            await queue.send(self.name, Message("t", {}), delay=901)
        with pytest.raises(ProfileError):
            await queue.send("unknown", Message("t", {}))
        assert await queue.driver.depth(self.name) == 0
