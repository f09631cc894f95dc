"""The feed on AWS: records of the events table's DynamoDB stream, as a Lambda event carries them."""

from collections.abc import Mapping
from typing import Any

from twofold.aws.document_codec import decode
from twofold.portable.document_store import Document


def document_of(record: Mapping[str, Any]) -> Document | None:
    """The commit document that a record inserted; None for every other change."""
    if record.get("eventName") != "INSERT":
        return None
    return decode(record["dynamodb"]["NewImage"])


def sequence_number(record: Mapping[str, Any]) -> str:
    """What names the record in a partial batch failure."""
    number: str = record["dynamodb"]["SequenceNumber"]
    return number
