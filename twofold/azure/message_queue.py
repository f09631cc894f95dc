"""MessageQueue on Azure Storage Queues: the queue `<prefix>-<queue>`, made with its dead-letter twin by the stack."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

from twofold.azure.credential import default_credential
from twofold.errors import QueueUnavailable
from twofold.portable.message_queue import Delivery

GONE = ("MessageNotFound", "PopReceiptMismatch")
"""What a receipt gets whose visibility has ended: the message comes again, or somebody else has settled it."""
NO_RIGHT = ("AuthorizationPermissionMismatch",)
LOOPBACK = ("127.0.0.1", "localhost")
MAX_RECEIVE = 32
CONCURRENT_SENDS = 16


def from_url(url: str, credential: Any = None) -> "StorageQueueDriver":
    """The driver of `storagequeue://<account host>/<prefix>`; connects, and asks for a login, at the first use.

    An emulator is `storagequeue://127.0.0.1:<port>/<account>/<prefix>?tls=0`.
    """
    parts = urlsplit(url)
    account, _, prefix = parts.path.strip("/").rpartition("/")
    scheme = "http" if parts.query == "tls=0" else "https"
    return StorageQueueDriver(f"{scheme}://{parts.netloc}/{account}", prefix, credential)


class StorageQueueDriver:
    """Messages are text, as the Functions host is told by `messageEncoding: none`, and live until they are deleted."""

    system = "azure.storagequeue"

    def __init__(self, account_url: str, prefix: str, credential: Any = None) -> None:
        self._account_url, self._prefix, self._credential = account_url, prefix, credential
        self._service: Any = None
        self._queues: dict[str, Any] = {}

    async def send(self, queue: str, body: str, *, delay: int) -> None:
        """See `QueueDriver`."""
        client = self._queue(queue)
        await self._call(queue, lambda: client.send_message(body, visibility_timeout=delay, time_to_live=-1))

    async def send_batch(self, queue: str, bodies: Sequence[str], *, delay: int) -> Sequence[str | None]:
        """See `QueueDriver`; the service has no batch: sixteen calls side by side."""
        gate = asyncio.Semaphore(CONCURRENT_SENDS)

        async def one(body: str) -> str | None:
            async with gate:
                try:
                    await self.send(queue, body, delay=delay)
                    return None
                except QueueUnavailable as exc:
                    return str(exc)

        return await asyncio.gather(*(one(body) for body in bodies))

    async def receive(self, queue: str, *, limit: int, visibility: int) -> Sequence[Delivery]:
        """See `QueueDriver`."""
        client, most = self._queue(queue), min(limit, MAX_RECEIVE)

        async def take() -> list[Delivery]:
            messages = client.receive_messages(messages_per_page=most, max_messages=most, visibility_timeout=visibility)
            return [
                Delivery(queue, message.content, f"{message.id}|{message.pop_receipt}") async for message in messages
            ]

        return await self._call(queue, take)

    async def delete(self, delivery: Delivery) -> None:
        """See `QueueDriver`."""
        client, (message_id, receipt) = self._queue(delivery.queue), (delivery.receipt or "|").split("|", 1)
        await self._call(delivery.queue, lambda: client.delete_message(message_id, receipt), tolerated=GONE)

    async def release(self, delivery: Delivery) -> None:
        """See `QueueDriver`."""
        client, (message_id, receipt) = self._queue(delivery.queue), (delivery.receipt or "|").split("|", 1)
        await self._call(
            delivery.queue, lambda: client.update_message(message_id, receipt, visibility_timeout=0), tolerated=GONE
        )

    async def ping(self, queue: str) -> None:
        """See `QueueDriver`. That a unit which only sends may not look at the queue is told by a service that answers."""
        await self._call(queue, self._queue(queue).get_queue_properties, tolerated=NO_RIGHT)

    async def depth(self, queue: str) -> int:
        """See `QueueDriver`; approximate."""
        properties = await self._call(queue, self._queue(queue).get_queue_properties)
        return int(properties.approximate_message_count)

    async def close(self) -> None:
        """See `QueueDriver`."""
        if self._service is not None:
            await self._service.close()
        if hasattr(self._credential, "close"):
            await self._credential.close()

    def _queue(self, queue: str) -> Any:
        if self._service is None:
            from azure.storage.queue.aio import QueueServiceClient  # only where Storage Queues are used

            self._credential = self._credential or default_credential()
            self._service = QueueServiceClient(
                self._account_url,
                self._credential,
                # An emulator's certificate can't be the service's (the Cosmos SDK does the same on loopback).
                connection_verify=urlsplit(self._account_url).hostname not in LOOPBACK,
                retry_total=1,
                # Its own pause before the repetition is 15 seconds and three more or less: a request's caller is gone by then.
                initial_backoff=0.2,
                increment_base=0,
                random_jitter_range=0.1,
                connection_timeout=2,
                read_timeout=5,
            )
        if queue not in self._queues:
            self._queues[queue] = self._service.get_queue_client(f"{self._prefix}-{queue}")
        return self._queues[queue]

    async def _call[T](self, queue: str, work: Callable[[], Awaitable[T]], *, tolerated: Sequence[str] = ()) -> T:
        from azure.core.exceptions import AzureError, HttpResponseError

        try:
            return await work()
        except HttpResponseError as exc:
            error_code = getattr(exc, "error_code", None)  # an enumeration, a text, or nothing
            code = str(getattr(error_code, "value", error_code) or exc.status_code)
            if code in tolerated:
                return None  # type: ignore[return-value]  # only asked for by calls without an answer
            hint = {
                "QueueNotFound": "; is there such a queue, and is TWOFOLD_QUEUE_URL right?",
                "AuthorizationPermissionMismatch": "; may this identity use the account's queues?",
                "AuthorizationFailure": "; may this identity use the account's queues?",
            }.get(code, "")
            raise QueueUnavailable(f"Storage Queue: {self._prefix}-{queue}: {code}{hint}") from exc
        except (AzureError, OSError, TimeoutError) as exc:
            raise QueueUnavailable(f"Storage Queue does not answer: {type(exc).__name__}") from exc
