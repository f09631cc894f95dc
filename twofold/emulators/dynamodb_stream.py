"""A table's DynamoDB stream, read as Lambda's event source mapping reads it: `batch` gives the next records as an event."""

import base64
import datetime
from typing import Any

from twofold.emulators.ministack import client


class DynamoDBStream:
    """All shards of the stream from their beginning, each record once. One thread at a time."""

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
