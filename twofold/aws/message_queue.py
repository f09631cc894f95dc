"""MessageQueue on SQS: the standard queue `<prefix>-<queue>`, made with its dead-letter twin by the stack."""

from collections.abc import Sequence
from typing import Any

from twofold.aws.client import Client, client_of, code_of
from twofold.errors import QueueUnavailable
from twofold.portable.message_queue import Delivery

MAX_BATCH = 10
GONE = ("ReceiptHandleIsInvalid", "InvalidParameterValue", "MessageNotInflight")
"""What a receipt gets whose visibility has ended: the message comes again, or somebody else has settled it."""


def from_url(url: str) -> "SQSDriver":
    """The driver of `sqs://<region>/<prefix>[?endpoint=http://…]`; connects at the first use."""
    client, prefix = client_of("sqs", url)
    return SQSDriver(client, prefix)


class SQSDriver:
    """One call for up to ten messages. A queue's URL is looked up once."""

    system = "aws_sqs"

    def __init__(self, client: Client, prefix: str) -> None:
        self._client, self._prefix = client, prefix
        self._urls: dict[str, str] = {}

    async def send(self, queue: str, body: str, *, delay: int) -> None:
        """See `QueueDriver`."""
        await self._call("send_message", queue, MessageBody=body, DelaySeconds=delay)

    async def send_batch(self, queue: str, bodies: Sequence[str], *, delay: int) -> Sequence[str | None]:
        """See `QueueDriver`."""
        failures: list[str | None] = [None] * len(bodies)
        for start in range(0, len(bodies), MAX_BATCH):
            entries = [
                {"Id": str(start + index), "MessageBody": body, "DelaySeconds": delay}
                for index, body in enumerate(bodies[start : start + MAX_BATCH])
            ]
            try:
                answer = await self._call("send_message_batch", queue, Entries=entries)
            except QueueUnavailable as exc:
                for entry in entries:
                    failures[int(entry["Id"])] = str(exc)  # type: ignore[call-overload]
                continue
            for failed in answer.get("Failed", ()):
                failures[int(failed["Id"])] = f"SQS: {failed['Code']}: {failed.get('Message', '')}"
        return failures

    async def receive(self, queue: str, *, limit: int, visibility: int) -> Sequence[Delivery]:
        """See `QueueDriver`."""
        answer = await self._call(
            "receive_message", queue, MaxNumberOfMessages=min(limit, MAX_BATCH), VisibilityTimeout=visibility
        )
        return [Delivery(queue, message["Body"], message["ReceiptHandle"]) for message in answer.get("Messages", ())]

    async def delete(self, delivery: Delivery) -> None:
        """See `QueueDriver`."""
        await self._call("delete_message", delivery.queue, tolerated=GONE, ReceiptHandle=delivery.receipt)

    async def release(self, delivery: Delivery) -> None:
        """See `QueueDriver`."""
        await self._call(
            "change_message_visibility",
            delivery.queue,
            tolerated=GONE,
            ReceiptHandle=delivery.receipt,
            VisibilityTimeout=0,
        )

    async def ping(self, queue: str) -> None:
        """See `QueueDriver`; asks for the queue's URL anew."""
        self._urls.pop(f"{self._prefix}-{queue}", None)
        await self._call(None, queue)  # no operation: its URL is all that is asked for

    async def depth(self, queue: str) -> int:
        """See `QueueDriver`; approximate."""
        names = [f"ApproximateNumberOfMessages{suffix}" for suffix in ("", "NotVisible", "Delayed")]
        answer = await self._call("get_queue_attributes", queue, AttributeNames=names)
        return sum(int(answer["Attributes"][name]) for name in names)

    async def close(self) -> None:
        """See `QueueDriver`."""
        await self._client.close()

    async def _call(self, operation: str | None, queue: str, *, tolerated: Sequence[str] = (), **arguments: Any) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError

        name = f"{self._prefix}-{queue}"
        try:
            if name not in self._urls:
                self._urls[name] = (await self._client.call("get_queue_url", QueueName=name))["QueueUrl"]
            return operation and await self._client.call(operation, QueueUrl=self._urls[name], **arguments)
        except ClientError as exc:
            code = code_of(exc)
            if code in tolerated:
                return None
            missing = "NonExistentQueue" in code or "QueueDoesNotExist" in code
            hint = "; is there such a queue in this region, and is TWOFOLD_QUEUE_URL right?" if missing else ""
            raise QueueUnavailable(f"SQS: {name}: {code}{hint}") from exc
        except BotoCoreError as exc:
            raise QueueUnavailable(f"SQS does not answer: {exc}") from exc
