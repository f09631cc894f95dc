"""boto3 clients without blocking the event loop: made at the first use, called on a small pool of threads."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

THREADS = 32
THROTTLES = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
        "Throttling",
        "RequestLimitExceeded",
        "TooManyRequestsException",
        "LimitExceededException",
    }
)


class Client:
    """One service of one region. `endpoint` is for emulators; credentials come from the environment or the role."""

    def __init__(self, service: str, region: str, endpoint: str | None) -> None:
        self._service, self._region, self._endpoint = service, region, endpoint
        self._lock = Lock()
        self._client: Any = None
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix=f"aws-{service}")

    async def call(self, operation: str, **arguments: Any) -> Any:
        """Calls an operation by its snake-case name; raises botocore's exceptions."""
        return await asyncio.get_running_loop().run_in_executor(
            self._threads, partial(self._call, operation, **arguments)
        )

    async def close(self) -> None:
        """Closes the pooled connections."""
        if self._client is not None:
            self._client.close()
        self._threads.shutdown(wait=False)

    def _call(self, operation: str, **arguments: Any) -> Any:
        with self._lock:
            if self._client is None:
                self._client = self._make()
        method: Callable[..., Any] = getattr(self._client, operation)
        return method(**arguments)

    def _make(self) -> Any:
        import boto3  # 900 million instructions: only where an AWS backend is used
        from botocore.config import Config

        # One repetition inside the SDK for what is safe to repeat; more is the caller's decision, within its deadline.
        config = Config(
            connect_timeout=2,
            read_timeout=5,
            max_pool_connections=THREADS,
            retries={"mode": "standard", "total_max_attempts": 2},
        )
        session = boto3.session.Session()
        keys = {}
        if self._endpoint and session.get_credentials() is None:  # an emulator takes any
            keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
        return session.client(
            self._service,  # type: ignore[call-overload]
            region_name=self._region,
            endpoint_url=self._endpoint,
            config=config,
            **keys,
        )


def client_of(service: str, url: str) -> tuple[Client, str]:
    """The client of `<scheme>://<region>/<prefix>[?endpoint=…]`, and the prefix."""
    parts = urlsplit(url)
    endpoint = parse_qs(parts.query).get("endpoint", [None])[0]
    return Client(service, parts.hostname or "", endpoint), parts.path.strip("/")


def code_of(exc: "ClientError") -> str:
    """The error code of a refused call."""
    code: str = exc.response.get("Error", {}).get("Code", "")
    return code
