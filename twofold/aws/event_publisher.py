"""EventPublisher on EventBridge: the event's type as detail type, the whole CloudEvent as detail."""

import json
from collections.abc import Sequence

from twofold.aws.client import Client, client_of, code_of
from twofold.errors import EventsRefused, PublisherUnavailable
from twofold.portable.event_publisher import chunks

MAX_ENTRIES = 10
MAX_BYTES = 256_000
"""PutEvents takes less than 256 KB in one call; the names around each entry come out of the difference."""

INVALID = frozenset({"InvalidArgument", "MalformedDetail", "ValidationException"})
"""Of an entry or of the call: it will never be taken ("PutEvents", "Handling failures with PutEvents")."""


def from_url(url: str) -> "EventBridgeDriver":
    """The driver of `eventbridge://<region>/<bus>[?endpoint=http://…]`; connects at the first use."""
    client, bus = client_of("events", url)
    return EventBridgeDriver(client, bus)


class EventBridgeDriver:
    """PutEvents, ten at a time at most. What a rule does with them is the receivers' own."""

    system = "aws.eventbridge"

    def __init__(self, client: Client, bus: str) -> None:
        self._client, self._bus = client, bus

    async def publish(self, envelopes: Sequence[str]) -> None:
        """See `PublisherDriver`."""
        from botocore.exceptions import BotoCoreError, ClientError

        for chunk in chunks(envelopes, MAX_ENTRIES, MAX_BYTES):
            try:
                answer = await self._client.call("put_events", Entries=[_entry(one, self._bus) for one in chunk])
            except ClientError as exc:
                if code_of(exc) in INVALID:
                    raise EventsRefused(f"EventBridge: {self._bus}: {code_of(exc)}") from exc
                raise PublisherUnavailable(f"EventBridge: {self._bus}: {code_of(exc)}") from exc
            except BotoCoreError as exc:
                raise PublisherUnavailable(f"EventBridge does not answer: {exc}") from exc
            if answer.get("FailedEntryCount"):
                codes = {entry["ErrorCode"] for entry in answer["Entries"] if "ErrorCode" in entry}
                error = EventsRefused if codes & INVALID else PublisherUnavailable
                raise error(f"EventBridge refused {answer['FailedEntryCount']} events: {sorted(codes)}")

    async def close(self) -> None:
        """See `PublisherDriver`."""
        await self._client.close()


def _entry(envelope: str, bus: str) -> dict[str, str]:
    event = json.loads(envelope)
    return {"EventBusName": bus, "Source": event["source"], "DetailType": event["type"], "Detail": envelope}
