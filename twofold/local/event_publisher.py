"""EventPublisher here: to the log, or to a webhook, each event on its own as `application/cloudevents+json`."""

import logging
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from twofold.errors import EventsRefused, PublisherUnavailable
from twofold.portable.event_publisher import INVALID

log = logging.getLogger("twofold.events")


def from_url(url: str) -> "LogDriver | WebhookDriver":
    """The driver of `log:`, or of `http(s)://…`, the webhook's own address."""
    return LogDriver() if urlsplit(url).scheme == "log" else WebhookDriver(url)


class LogDriver:
    """Nobody is told but the log."""

    system = "log"

    async def publish(self, envelopes: Sequence[str]) -> None:
        """See `PublisherDriver`."""
        for envelope in envelopes:
            log.info("published %s", envelope)

    async def close(self) -> None:
        """See `PublisherDriver`."""


class WebhookDriver:
    """POSTs, one after another; any 2xx is an acceptance."""

    system = "webhook"

    def __init__(self, url: str) -> None:
        self._url = url
        self._client: Any = None

    async def publish(self, envelopes: Sequence[str]) -> None:
        """See `PublisherDriver`."""
        import httpx  # only where events are posted

        self._client = self._client or httpx.AsyncClient(timeout=10)
        for envelope in envelopes:
            try:
                answer = await self._client.post(
                    self._url, content=envelope, headers={"Content-Type": "application/cloudevents+json"}
                )
            except httpx.HTTPError as exc:
                raise PublisherUnavailable(f"the webhook does not answer: {type(exc).__name__}") from exc
            if answer.status_code in INVALID:
                raise EventsRefused(f"the webhook answered {answer.status_code}")
            if not answer.is_success:
                raise PublisherUnavailable(f"the webhook answered {answer.status_code}")

    async def close(self) -> None:
        """See `PublisherDriver`."""
        if self._client is not None:
            await self._client.aclose()
