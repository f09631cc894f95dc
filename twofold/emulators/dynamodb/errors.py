"""Refusals in DynamoDB's shape."""

from collections.abc import Sequence
from typing import Any

from twofold.emulators.server import Answer

JSON = "application/x-amz-json-1.0"
MISSING_TABLE = "Requested resource not found"
_OWN = {
    "ValidationException": "com.amazon.coral.validate",
    "SerializationException": "com.amazon.coral.service",
    "UnknownOperationException": "com.amazon.coral.service",
}


def refuse(code: str, message: str, **more: object) -> Answer:
    """An error of that code."""
    kind = f"{_OWN.get(code, 'com.amazonaws.dynamodb.v20120810')}#{code}"
    return Answer(400, {"__type": kind, "message": message, **more}, {"Content-Type": JSON})


def invalid(message: str) -> Answer:
    """A ValidationException."""
    return refuse("ValidationException", message)


def wrong(message: str) -> Answer:
    """A ValidationException about parameter values."""
    return invalid(f"One or more parameter values were invalid: {message}")


def unmet(value: object, member: str, constraint: str) -> Answer:
    """A ValidationException about a constraint of the API's model."""
    return invalid(
        f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {constraint}"
    )


def missing(member: str) -> Answer:
    """A ValidationException about a member that is not there."""
    name = member[:1].lower() + member[1:]
    return invalid(
        f"1 validation error detected: Value null at '{name}' failed to satisfy constraint: Member must not be null"
    )


def message_of(refusal: Answer) -> str:
    """What it says."""
    assert isinstance(refusal.body, dict)
    return str(refusal.body["message"])


def cancelled(reasons: Sequence[dict[str, Any]]) -> Answer:
    """A cancelled transaction; a reason for each of its actions, in their order."""
    codes = ", ".join(reason["Code"] for reason in reasons)
    message = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]"
    return refuse("TransactionCanceledException", message, CancellationReasons=list(reasons))
