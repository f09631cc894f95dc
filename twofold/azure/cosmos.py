"""The Cosmos DB client: one per process, its own retries bounded, its errors translated."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from twofold.azure.credential import default_credential
from twofold.errors import ProfileError, StoreError, StoreRefused, StoreThrottled, StoreUnavailable
from twofold.portable.failure import reason

REFUSED = (404, 409, 412)
DOWN = (401, 403, 408, 410)
"""Answers below 500 that are the login's or pass: the service gave up, or moved the partition."""


class Refused(Exception):
    """Cosmos refused a write for what is stored: 404, 409 or 412; `index` is the failing operation of a batch."""

    def __init__(self, status: int, index: int = 0) -> None:
        self.status, self.index = status, index
        super().__init__(f"refused with {status}")


class Cosmos:
    """A database's containers. `endpoint` is https unless the host is a loopback emulator asked for with `?tls=0`."""

    def __init__(self, endpoint: str, database: str, credential: Any = None) -> None:
        self._endpoint, self._database, self._credential = endpoint, database, credential
        self._client: Any = None
        self._containers: dict[str, Any] = {}

    def container(self, name: str) -> Any:
        """The container's client; no round trip."""
        if self._client is None:
            from azure.cosmos.aio import CosmosClient  # only where Cosmos is used

            self._credential = self._credential or default_credential()
            # The SDK resends writes after a fault: the driver reads back, so few and quick repetitions suffice. Endpoint
            # discovery would repeat writes on 503 and, with one region, finds nothing.
            self._client = CosmosClient(
                self._endpoint,
                self._credential,
                connection_timeout=2,
                read_timeout=5,
                retry_total=1,
                retry_throttle_total=0,
                retry_connect=1,
                retry_read=1,
                enable_endpoint_discovery=False,
            )
        if name not in self._containers:
            self._containers[name] = self._client.get_database_client(self._database).get_container_client(name)
        return self._containers[name]

    async def call[T](self, work: Callable[[], Awaitable[T]]) -> T:
        """Runs a call, translates its errors: `Refused`, `StoreRefused`, `StoreThrottled`, `StoreUnavailable`, `ProfileError`."""
        from azure.core.exceptions import AzureError
        from azure.cosmos.exceptions import CosmosBatchOperationError, CosmosHttpResponseError

        try:
            return await work()
        except CosmosBatchOperationError as exc:
            status = exc.operation_responses[exc.error_index]["statusCode"]
            raise translate(status, str(exc), exc.error_index) from exc
        except CosmosHttpResponseError as exc:
            raise translate(exc.status_code or 0, exc.message or "", headers=exc.headers) from exc
        except (AzureError, OSError, TimeoutError) as exc:
            raise StoreUnavailable(f"Cosmos DB does not answer: {reason(exc)}") from exc

    async def close(self) -> None:
        """Releases the connections."""
        if self._client is not None:
            await self._client.close()
        if hasattr(self._credential, "close"):
            await self._credential.close()


def translate(status: int, message: str, index: int = 0, headers: Any = None) -> Refused | StoreError | ProfileError:
    """The error of a status: what is stored refuses, load throttles, size is the profile's, what is invalid is refused for good,
    and the rest is unavailable."""
    if status in REFUSED:
        if status == 404 and "owner" in message.lower():
            return StoreUnavailable("Cosmos DB: no such database or container; is TWOFOLD_STORE_URL right?")
        return Refused(status, index)
    if status in (429, 449):
        advice = (headers or {}).get("x-ms-retry-after-ms")
        return StoreThrottled(f"Cosmos DB: {status}", retry_after=float(advice) / 1000 if advice else None)
    if status == 413:
        return ProfileError("Cosmos DB takes at most 2 MB")
    hint = "; may this identity use the account's data plane?" if status in (401, 403) else ""
    error = StoreRefused if 400 <= status < 500 and status not in DOWN else StoreUnavailable
    return error(f"Cosmos DB: {status}: {message.splitlines()[0][:300] if message else ''}{hint}")


def cosmos_of(url: str, credential: Any = None) -> Cosmos:
    """The database of `cosmos://<account host[:port]>/<database>[?tls=0]`."""
    parts = urlsplit(url)
    scheme = "http" if parts.query == "tls=0" else "https"
    return Cosmos(f"{scheme}://{parts.netloc}", parts.path.strip("/"), credential)
