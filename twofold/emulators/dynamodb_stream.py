"""A table's DynamoDB stream, read and delivered as Lambda's event source mapping does it."""

import base64
import datetime
import itertools
from collections.abc import Callable, Mapping
from typing import Any

from twofold.emulators.dev_environment import DeliveryFailed
from twofold.emulators.lambda_host import FunctionError
from twofold.emulators.ministack import client

BATCH_SIZE = 100
"""The stack's."""


class DynamoDBStream:
    """All shards of the stream from their beginning, each record once; `batch` gives the next ones as an event.

    One thread at a time.
    """

    def __init__(self, endpoint: str, table: str) -> None:
        database = client("dynamodb", endpoint)
        self._arn = database.describe_table(TableName=table)["Table"]["LatestStreamArn"]
        self._streams = client("dynamodbstreams", endpoint)
        self._next: dict[str, str | None] = {}

    def batch(self) -> dict[str, Any]:
        """`{"Records": […]}` with everything new, empty when there is nothing."""
        shards = self._streams.describe_stream(StreamArn=self._arn)["StreamDescription"]["Shards"]
        records: list[Any] = []
        for shard in (shard["ShardId"] for shard in shards):
            if shard not in self._next:
                self._next[shard] = self._streams.get_shard_iterator(
                    StreamArn=self._arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON"
                )["ShardIterator"]
            if self._next[shard] is not None:
                answer = self._streams.get_records(ShardIterator=self._next[shard])
                self._next[shard] = answer.get("NextShardIterator")
                records += [_as_event(record) for record in answer["Records"]]
        return {"Records": records}


class StreamDelivery:
    """A batch at a time, in the stream's order, as the stack's mapping has it: failures are reported by item, and no record is
    given up or skipped. A batch comes again from the lowest failed record on, and in halves when the function itself failed.
    """

    def __init__(self, opened: Callable[[], DynamoDBStream], invoke: Callable[[Mapping[str, Any]], Any]) -> None:
        self._opened, self._invoke = opened, invoke
        self.begin()

    def begin(self) -> None:
        """Starts with a stream that is new."""
        self._stream: DynamoDBStream | None = None
        self._batches: list[list[Any]] = []

    def __call__(self) -> int:
        """Delivers what is due, once, and returns how many records are done; raises DeliveryFailed when some come again."""
        self._stream = self._stream or self._opened()
        if not self._batches:
            records = self._stream.batch()["Records"]
            self._batches = [list(some) for some in itertools.batched(records, BATCH_SIZE, strict=False)]
        if not self._batches:
            return 0
        batch, *later = self._batches
        try:
            left = remaining(batch, self._invoke({"Records": batch}))
        except FunctionError as exc:
            half = (len(batch) + 1) // 2
            self._batches = [*filter(None, (batch[:half], batch[half:])), *later]
            raise DeliveryFailed(
                f"the function failed on {len(batch)} records of the stream, which come again: {exc}"
            ) from exc
        self._batches = [left, *later] if left else later
        if left:
            raise DeliveryFailed(f"{len(left)} records of the stream failed and come again")
        return len(batch)


def remaining(batch: list[Any], answer: Any) -> list[Any]:
    """The records that come again: from the lowest failed one on, or all when the function names one that is none of them."""
    failed = {one.get("itemIdentifier") for one in (answer or {}).get("batchItemFailures") or ()}
    if not failed:
        return []
    numbers = [record["dynamodb"]["SequenceNumber"] for record in batch]
    return batch[min(map(numbers.index, failed)) :] if failed <= set(numbers) else batch


def _as_event(value: Any) -> Any:
    match value:
        case dict():
            return {key: _as_event(item) for key, item in value.items()}
        case list():
            return [_as_event(item) for item in value]
        case bytes():
            return base64.b64encode(value).decode()
        case datetime.datetime():
            return value.timestamp()
    return value
