"""`/health/live` (the process answers) and `/health/ready` (its dependencies do).

A start-up probe is `/health/live` too: nothing is answered before the application's lifespan has begun. The first queue stands
for all: they lie in one account.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Response
from pydantic import BaseModel

from twofold.bootstrap import Services
from twofold.errors import SecretNotFound, TwofoldError
from twofold.http.openapi import responses
from twofold.http.problem import Problem
from twofold.portable.failure import reason

DEADLINE_SECONDS = 2.0
FRESH_SECONDS = 1.0
"""How long an answer of `/health/ready` is given again: whoever asks it often costs the dependencies nothing."""
type Release = Annotated[str | None, Header(description="a release, in quotes: 412 unless this process runs it")]
log = logging.getLogger("twofold.health")


class Live(BaseModel):
    """The process answers."""

    status: Literal["live"] = "live"


class Dependency(BaseModel):
    """One dependency and how long it took to answer."""

    name: str
    status: Literal["up", "down"]
    critical: bool
    ms: float


class Ready(BaseModel):
    """`ready`: all is up. `degraded`: something that is not critical is down (still 200). `down`: 503."""

    status: Literal["ready", "degraded", "down"]
    dependencies: list[Dependency]


def router(services: Services) -> APIRouter:
    """The health routes of a service; what its manifest doesn't use is not asked."""
    routes = APIRouter(prefix="/health", tags=["health"])
    probed = CachedReadiness(partial(readiness, services))

    @routes.get("/live", operation_id="live", responses=responses(412))
    async def live(if_match: Release = None) -> Live:
        """Whether the process answers; asks nothing else. A deployment names the release that must be the one that does."""
        # It is compared and never told: only who deployed it knows the name.
        if if_match not in (None, "*", f'"{services.settings.release}"'):
            raise Problem(412, "other-release", "another release than the one asked for answers")
        return Live()

    @routes.get("/ready", operation_id="ready", responses={503: {"model": Ready}})
    async def ready(response: Response) -> Ready:
        """Whether requests can be served: each dependency, asked side by side, within two seconds; at most a second old."""
        answer = await probed()
        if answer.status == "down":
            response.status_code = 503
        return answer

    return routes


class CachedReadiness:
    """The answer to many who ask: one question is under way at a time, and what it brings is given for `FRESH_SECONDS`."""

    def __init__(self, ask: Callable[[], Awaitable[Ready]], clock: Callable[[], float] = time.monotonic) -> None:
        self._ask, self._clock = ask, clock
        self._asking: asyncio.Task[Ready] | None = None
        self._fresh_until = float("-inf")

    async def __call__(self) -> Ready:
        """A `Ready` of the last second. Who gives up waiting ends nobody else's question."""
        if self._asking is None or (self._asking.done() and self._clock() >= self._fresh_until):
            self._asking = asyncio.ensure_future(self._ask_anew())
        return await asyncio.shield(self._asking)

    async def _ask_anew(self) -> Ready:
        ready = await self._ask()
        self._fresh_until = self._clock() + FRESH_SECONDS
        return ready


async def readiness(services: Services) -> Ready:
    """How each dependency is, asked side by side, within two seconds; what is down is logged with its reason."""
    checks = []
    if services.manifest.blocks:
        checks.append(_check("store", True, services.documents.ping))
    for secret in services.manifest.secrets[:1]:
        checks.append(_check("secrets", False, partial(_secret, services, secret.name)))
    for queue in services.manifest.queues[:1]:
        checks.append(_check("queue", False, partial(services.queue.driver.ping, queue.name)))
    if services.cache.shared:
        checks.append(_check("cache", False, services.cache.ping))
    dependencies = list(await asyncio.gather(*checks))
    dependencies += [
        Dependency(name=client.name, status="down" if client.is_open else "up", critical=False, ms=0.0)
        for client in services.outbounds
    ]
    down = [dependency for dependency in dependencies if dependency.status == "down"]
    if any(dependency.critical for dependency in down):
        return Ready(status="down", dependencies=dependencies)
    return Ready(status="degraded" if down else "ready", dependencies=dependencies)


async def _check(name: str, critical: bool, ask: Callable[[], Awaitable[object]]) -> Dependency:
    started = time.perf_counter()
    status: Literal["up", "down"] = "up"
    try:
        await asyncio.wait_for(ask(), DEADLINE_SECONDS)
    except (TwofoldError, TimeoutError) as exc:
        status = "down"
        late = f"no answer within {DEADLINE_SECONDS:g} seconds"
        log.warning("%s is down: %s", name, late if isinstance(exc, TimeoutError) else reason(exc))
    return Dependency(name=name, status=status, critical=critical, ms=round((time.perf_counter() - started) * 1000, 1))


async def _secret(services: Services, name: str) -> None:
    try:
        await services.secrets.get(name)
    except SecretNotFound:
        if services.settings.deployed:
            raise  # a checkout makes its own at the first use
