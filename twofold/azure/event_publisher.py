"""EventPublisher on Event Grid: a custom topic whose input schema is CloudEvents 1.0, entered with the unit's identity."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from twofold.azure.credential import default_credential
from twofold.errors import EventsRefused, PublisherUnavailable
from twofold.portable.event_publisher import INVALID, chunks

SCOPE = "https://eventgrid.azure.net/.default"
API_VERSION = "2018-01-01"
MAX_EVENTS, MAX_BYTES = 100, 1_000_000
"""Event Grid takes a batch of 1 MB."""
LOOPBACK = ("127.0.0.1", "localhost")


def from_url(url: str, credential: Any = None) -> "EventGridDriver":
    """The driver of `eventgrid://<topic host>`; connects, and asks for a login, at the first use."""
    return EventGridDriver(f"https://{urlsplit(url).netloc}", credential)


class EventGridDriver:
    """A POST for each batch of CloudEvents, as the service's REST reference says; with azure-core's pipeline and retries."""

    system = "eventgrid"

    def __init__(self, endpoint: str, credential: Any = None) -> None:
        self._endpoint, self._credential = endpoint, credential
        self._client: Any = None

    async def publish(self, envelopes: Sequence[str]) -> None:
        """See `PublisherDriver`."""
        from azure.core.exceptions import AzureError
        from azure.core.rest import HttpRequest

        for chunk in chunks(envelopes, MAX_EVENTS, MAX_BYTES):
            request = HttpRequest(
                "POST",
                f"{self._endpoint}/api/events",
                params={"api-version": API_VERSION},
                content=f"[{','.join(chunk)}]".encode(),
                headers={"Content-Type": "application/cloudevents-batch+json; charset=utf-8"},
            )
            try:
                answer = await self._connected().send_request(request)
            except (AzureError, OSError, TimeoutError) as exc:
                raise PublisherUnavailable(f"Event Grid does not answer: {type(exc).__name__}") from exc
            if answer.status_code in INVALID:
                raise EventsRefused(f"Event Grid answered {answer.status_code}")
            if answer.status_code != 200:
                hint = "; may this identity send to the topic?" if answer.status_code in (401, 403) else ""
                raise PublisherUnavailable(f"Event Grid answered {answer.status_code}{hint}")

    async def close(self) -> None:
        """See `PublisherDriver`."""
        if self._client is not None:
            await self._client.close()
        if hasattr(self._credential, "close"):
            await self._credential.close()

    def _connected(self) -> Any:
        if self._client is None:
            from azure.core import AsyncPipelineClient  # only where Event Grid is used
            from azure.core.pipeline.policies import AsyncBearerTokenCredentialPolicy, AsyncRetryPolicy

            self._credential = self._credential or default_credential()
            policies = [AsyncRetryPolicy(retry_total=1), AsyncBearerTokenCredentialPolicy(self._credential, SCOPE)]
            self._client = AsyncPipelineClient(
                self._endpoint,
                policies=policies,
                # An emulator's certificate can't be the service's (the Cosmos SDK does the same on loopback).
                connection_verify=urlsplit(self._endpoint).hostname not in LOOPBACK,
                connection_timeout=2,
                read_timeout=5,
            )
        return self._client
