"""Outbound: calls to somebody else's service over HTTP, that neither hang, nor pile up, nor act twice.

payments = Outbound("payments", "https://payments.example")
answer = await payments.request("POST", "/charges", json=body, headers={"Idempotency-Key": key})
"""

import asyncio
import logging
import random
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twofold.errors import DependencyDown, TwofoldError
from twofold.portable import telemetry
from twofold.portable.cache import Cache
from twofold.portable.logs import event
from twofold.portable.metrics import BREAKER, CALLS, observe

log = logging.getLogger("twofold.outbound")

if TYPE_CHECKING:
    import httpx

IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})
RETRIED = frozenset({429, 502, 503, 504})
LOOK_SECONDS = 1.0
"""How often a process looks whether another one's breaker is open."""


class OutboundFailed(TwofoldError):
    """The other service did not answer usefully within the deadline and the attempts."""


class CircuitOpen(OutboundFailed, DependencyDown):
    """It failed too often lately, so it was not asked; the message has the first failure of the row."""


class BulkheadFull(OutboundFailed, DependencyDown):
    """Too many calls to it are under way, and none ended within the deadline."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds and counts. `deadline` bounds a whole call, its waits and attempts included."""

    deadline: float = 8.0
    attempts: int = 3
    backoff: float = 0.1
    breaker_failures: int = 5
    breaker_seconds: float = 30.0
    concurrent: int = 20


class Outbound:
    """One other service, with pooled connections, shared by the process.

    - A call ends within `limits.deadline`: each attempt's timeout is what is left of it.
    - Connection errors, timeouts, 429, 502, 503 and 504 are tried again with doubling, jittered pauses (or as `Retry-After`
      says, where that fits), if the method is idempotent or the request has an `Idempotency-Key`.
    - After `breaker_failures` failed calls in a row it is not asked for `breaker_seconds`; then one call probes. With a
      shared `cache` the other processes don't ask it either, from a second later on; while that is down each has its own
      (and the call that finds it down may take half a second longer).
    - At most `concurrent` calls are under way at once.

    Any other answer is returned as it is. Raises `OutboundFailed`, and its kinds, for the rest.
    """

    def __init__(
        self, name: str, base_url: str, limits: Limits | None = None, *, transport: Any = None, cache: Cache | None = None,
        clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:  # fmt: skip
        self.name, self._base_url, self._limits = name, base_url, limits or Limits()
        self._transport, self._clock, self._sleep = transport, clock, sleep
        self._client: httpx.AsyncClient | None = None
        self._slots = asyncio.Semaphore(self._limits.concurrent)
        self._failures, self._cause = 0, ""
        self._open_until = 0.0
        self._probing = False
        self._cache, self._look_at, self._id = cache, 0.0, secrets.token_hex(8)

    async def request(self, method: str, path: str, **arguments: Any) -> "httpx.Response":
        """Calls; `arguments` are httpx's. See the class for what is promised."""
        deadline = self._clock() + self._limits.deadline
        await self._look()
        probe = self._admit()
        begun, outcome = time.perf_counter(), "failure"
        try:
            await self._slot()
            try:
                answer = await self._attempts(method, path, deadline, arguments)
                outcome = "success"
            finally:
                self._slots.release()
                observe(CALLS, time.perf_counter() - begun, dependency=self.name, outcome=outcome)
        except BulkheadFull:
            raise  # says nothing about the other service
        except OutboundFailed as exc:
            self._cause = self._cause if self._failures else str(exc)
            self._failures += 1
            if probe or self._failures >= self._limits.breaker_failures:
                self._open_until = self._clock() + self._limits.breaker_seconds
                await self._tell(is_open=True)
            raise
        finally:
            self._probing = self._probing and not probe
        was_open = self._failures >= self._limits.breaker_failures
        self._failures = 0
        if was_open:
            await self._tell(is_open=False)
        return answer

    @property
    def is_open(self) -> bool:
        """Whether the breaker is open: the other service is not asked for a while."""
        return self._failures >= self._limits.breaker_failures and self._clock() < self._open_until

    async def _slot(self) -> None:
        try:
            await asyncio.wait_for(self._slots.acquire(), self._limits.deadline)
        except TimeoutError:
            raise BulkheadFull(f"{self.name}: {self._limits.concurrent} calls are under way already") from None

    async def close(self) -> None:
        """Closes the pooled connections."""
        if self._client is not None:
            await self._client.aclose()

    async def _tell(self, *, is_open: bool) -> None:
        """Lets the other processes know; one that can't be told finds out by itself."""
        observe(BREAKER, int(is_open), dependency=self.name)
        if is_open:
            event(
                log, "breaker-opened", f"{self.name} failed {self._failures} times in a row: it is not asked for a while",
                started=time.perf_counter(), outcome="failure", level=logging.WARNING, labels__dependency=self.name,
            )  # fmt: skip
        if self._cache is not None and is_open:
            await self._cache.set(f"breaker:{self.name}", self._id, self._limits.breaker_seconds)
        elif self._cache is not None:
            await self._cache.delete(f"breaker:{self.name}")

    async def _look(self) -> None:
        """Opens the breaker until the next look, where another process has said that it is open."""
        if self._cache is None or self._clock() < max(self._look_at, self._open_until):
            return
        self._look_at = self._clock() + LOOK_SECONDS
        if await self._cache.get(f"breaker:{self.name}") not in (None, self._id):
            self._cause = self._cause if self._failures else ""
            self._failures = max(self._failures, self._limits.breaker_failures)
            self._open_until = max(self._open_until, self._look_at)

    def _admit(self) -> bool:
        """Whether this call is the probe of an open breaker; raises CircuitOpen when it may not go."""
        if self._failures < self._limits.breaker_failures:
            return False
        if self._probing or self._clock() < self._open_until:
            first = f", first: {self._cause}" if self._cause else ", as another process found"
            raise CircuitOpen(f"{self.name} failed {self._failures} times in a row; it is not asked for a while{first}")
        self._probing = True
        return True

    async def _attempts(self, method: str, path: str, deadline: float, arguments: dict[str, Any]) -> "httpx.Response":
        import httpx  # half a FastAPI import: only where a call goes out

        if self._client is None:
            self._client = httpx.AsyncClient(base_url=self._base_url, transport=self._transport)
        names = {name.lower() for name in arguments.get("headers", {})}
        attempts = self._limits.attempts if method in IDEMPOTENT or "idempotency-key" in names else 1
        for attempt in range(1, attempts + 1):
            pause = random.uniform(0, self._limits.backoff * 2**attempt)  # noqa: S311 - jitter
            left = deadline - self._clock()
            try:
                async with asyncio.timeout(left):
                    answer = await self._attempt(self._client, method, path, left, attempt, arguments)
                if answer.status_code not in RETRIED:
                    return answer
                failure = f"it answered {answer.status_code}"
                pause = max(pause, _retry_after(answer))
            except (httpx.HTTPError, TimeoutError) as exc:
                failure = f"{type(exc).__name__}"
            if attempt == attempts or self._clock() + pause >= deadline:
                break
            await self._sleep(pause)
        raise OutboundFailed(f"{self.name}: {failure}, at attempt {attempt} of {attempts}")

    async def _attempt(
        self, client: "httpx.AsyncClient", method: str, path: str, left: float, attempt: int, arguments: dict[str, Any]
    ) -> "httpx.Response":
        base = client.base_url
        attributes: dict[str, str | int] = {
            "http.request.method": method,
            "server.address": base.host,
            "server.port": base.port or (443 if base.scheme == "https" else 80),
            "url.full": f"{base}".rstrip("/") + path.partition("?")[0],
            "twofold.outbound": self.name,
        }
        if attempt > 1:
            attributes["http.request.resend_count"] = attempt - 1
        with telemetry.span(method, telemetry.CLIENT, attributes) as span:
            headers = dict(arguments.get("headers") or {})
            if (traceparent := telemetry.traceparent()) is not None:
                headers["traceparent"] = traceparent
            answer = await client.request(method, path, timeout=left, **{**arguments, "headers": headers})
            span.set({"http.response.status_code": answer.status_code})
            if answer.status_code >= 400:
                span.fail(str(answer.status_code))
            return answer


def _retry_after(answer: "httpx.Response") -> float:
    text = answer.headers.get("retry-after", "")
    return float(text) if text.isdigit() else 0.0
