"""A strict Event Grid custom topic with the CloudEvents 1.0 input schema, in process; `events` is what it accepted.

Known divergences from the service: one topic, no subscriptions, filters or deliveries; tokens are compared, not verified.
"""

import json
from typing import Any

from twofold.emulators.managed_identity import TOKEN
from twofold.emulators.server import Answer, FakeServer, Headers

MAX_EVENT, MAX_BATCH = 1024 * 1024, 1024 * 1024


class EventGridFake(FakeServer):
    """`eventgrid://<host>`."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        super().__init__()

    def serve(self, method: str, path: str, raw_query: str, headers: Headers, body: bytes) -> Answer:
        if headers.get("Authorization") != f"Bearer {TOKEN}":
            raise refuse(401, "Unauthorized", "Request must contain one of the following: a token, a key, a signature.")
        if (method, path) != ("POST", "/api/events") or raw_query != "api-version=2018-01-01":
            raise refuse(404, "NotFound", f"There is nothing at {path}.")
        if not headers.get("Content-Type", "").startswith("application/cloudevents-batch+json"):
            raise refuse(400, "BadRequest", "This topic takes application/cloudevents-batch+json.")
        if len(body) > MAX_BATCH:
            raise refuse(413, "PayloadTooLarge", "A request has at most 1 MB.")
        try:
            events = json.loads(body)
        except ValueError:
            events = None
        if not isinstance(events, list):
            raise refuse(400, "BadRequest", "The body is no JSON array.")
        for event in events:
            for name in ("id", "source", "type", "specversion"):
                if not isinstance(event.get(name), str) or not event[name]:
                    raise refuse(400, "BadRequest", f"The event lacks {name}.")
            names = set(event) - {"data_base64"}
            if event["specversion"] != "1.0" or not all(name.isalnum() and name.islower() for name in names):
                raise refuse(400, "BadRequest", "The event is no CloudEvent 1.0.")
        self.events += events
        return Answer(200)


def refuse(status: int, code: str, message: str) -> Answer:
    """A refusal in Event Grid's shape."""
    return Answer(status, {"error": {"code": code, "message": message}})
