"""Message: what travels through a queue, as a CloudEvents 1.0 JSON envelope.

Stored form, format 1: the attributes `id`, `source`, `type`, `time`, `datacontenttype`, the extensions `attempt` (from 1),
`traceparent` (W3C), `failure` and `trace` (dead letters only: what was raised, and where), and `data`. It is written in ASCII,
everything else escaped: so what SQS refuses (U+FFFE, U+FFFF, lone surrogates) travels too, and is read back as it was.
"""

import hashlib
import json
import uuid
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from twofold.errors import ProfileError
from twofold.portable import profile

MAX_FAILURE, MAX_TRACE, LEAST_FAILURE = 1000, 2000, 80
"""Characters; of a trace the last ones stay."""
MAX_AGAIN_BYTES = 56 * 1024
"""Of what is sent again or is dead: what was sent once has room for its attempts and its failure (Storage Queues take 64 KiB)."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `id` is stable over redeliveries; `attempt` counts from 1; `failure` is set on dead letters only."""

    type: str
    data: dict[str, Any]
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    attempt: int = 1
    traceparent: str | None = None
    failure: str | None = None
    sent_at: float | None = field(default=None, compare=False)
    """When it was handed over, in seconds since the epoch: known of what was received."""
    trace: str | None = None
    """Where the failure was raised, the innermost line last; of dead letters, when the envelope has room for it."""

    @property
    def fingerprint(self) -> str:
        """What tells another message under the same id: a digest of type and data."""
        return hashlib.sha256(json.dumps([self.type, self.data], sort_keys=True).encode()).hexdigest()

    def encode(self, source: str) -> str:
        """The envelope; raises ProfileError beyond 48 KiB and for what no envelope can hold."""
        from cloudevents.core.exceptions import BaseCloudEventException, CloudEventValidationError
        from cloudevents.core.formats.json import JSONFormat  # date parsing: only where messages are
        from cloudevents.core.v1.event import CloudEvent

        profile.encode_body(self.data)
        attributes: dict[str, Any] = {
            "id": self.id,
            "source": source,
            "type": self.type,
            "datacontenttype": "application/json",
            "attempt": self.attempt,
        }
        if self.traceparent:
            attributes["traceparent"] = self.traceparent
        if self.failure:
            attributes["failure"] = self.failure[:MAX_FAILURE]
        if self.trace:
            attributes["trace"] = self.trace[-MAX_TRACE:]
        try:
            text = JSONFormat().write(CloudEvent(attributes, self.data)).decode()
        except (BaseCloudEventException, CloudEventValidationError) as exc:
            raise ProfileError(f"no CloudEvent can be made of this message: {exc}") from exc
        limit = MAX_AGAIN_BYTES if self.failure or self.attempt > 1 else profile.MAX_ENVELOPE_BYTES
        if len(text) <= limit:
            return text
        if self.trace:
            return replace(self, trace=None).encode(source)
        if self.failure and len(self.failure) > LEAST_FAILURE:
            return replace(self, failure=self.failure[:LEAST_FAILURE]).encode(source)
        raise ProfileError(f"message is {len(text)} bytes in its envelope; the limit is {limit}")

    @classmethod
    def decode(cls, text: str) -> "Message":
        """The message of an envelope; ValueError when it is none."""
        from cloudevents.core.exceptions import BaseCloudEventException, CloudEventValidationError
        from cloudevents.core.formats.json import JSONFormat

        try:
            event = JSONFormat().read(None, text)
            attributes, data = event.get_attributes(), event.get_data()
        except (
            BaseCloudEventException,
            CloudEventValidationError,
            json.JSONDecodeError,
            ValueError,
            AttributeError,
        ) as exc:
            raise ValueError(f"no CloudEvents envelope: {text[:200]!r}") from exc
        if not isinstance(data, dict):
            raise ValueError(f"the envelope's data is no JSON object: {text[:200]!r}")
        return cls(
            attributes["type"], data, attributes["id"],
            int(attributes.get("attempt", 1)), attributes.get("traceparent"), attributes.get("failure"),
            sent.timestamp() if isinstance(sent := attributes.get("time"), datetime) else None, attributes.get("trace"),
        )  # fmt: skip
