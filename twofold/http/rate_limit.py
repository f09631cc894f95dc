"""Rate limits: for each subject its reads and writes, for each address what comes without a token. Health is free.

Answers carry `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10), and a 429 `Retry-After` as well.
"""

import hashlib
import ipaddress
from typing import Any

from twofold.http.lifespan import ASGIApp, Receive, Scope, Send
from twofold.http.problem import Problem
from twofold.portable.rate_limit import Rate, RateLimiter, Verdict
from twofold.settings import Settings

SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
FREE = frozenset({"/health/live", "/health/ready"})


def rate_limit(app: ASGIApp, limiter: RateLimiter, settings: Settings) -> ASGIApp:
    """Raises a 429 Problem beyond the limits of the settings. Lies inside `client_address`, the boundary and `authenticate`.

    A caller is the subject of `scope["state"]["principal"]`; without one it is `scope["client"]`, which `client_address` took
    from the trusted hop, so that no header of the client's own changes it. An IPv6 caller is its /64 network, since that is
    what one subscriber has. A token that was refused is no principal: guessing counts against the address.
    """
    rates = {
        "reads": Rate.parse(settings.limit_reads),
        "writes": Rate.parse(settings.limit_writes),
        "anonymous": Rate.parse(settings.limit_anonymous),
    }

    async def layer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in FREE:
            return await app(scope, receive, send)
        policy, caller = _caller(scope)
        if (rate := rates[policy]) is None:
            return await app(scope, receive, send)
        verdict = await limiter.hit(rate, policy, caller)
        fields = _fields(policy, rate, verdict)
        if not verdict.allowed:
            detail = f"more than {rate.count} requests in {rate.seconds} s; the next is answered in {verdict.reset} s"
            raise Problem(429, "too-many-requests", detail, headers={**fields, "Retry-After": str(verdict.reset)})
        raw = [(name.lower().encode(), value.encode()) for name, value in fields.items()]

        async def adding(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *raw]}
            await send(message)

        try:
            await app(scope, receive, adding)
        except Problem as exc:  # a layer's refusal, which the boundary further out makes an answer of
            exc.headers |= fields
            raise

    return layer


def _caller(scope: Scope) -> tuple[str, str]:
    """The policy that a request falls under, and whose it is."""
    principal = scope.get("state", {}).get("principal")
    if principal is None:
        return "anonymous", _network((scope.get("client") or ("unknown", 0))[0])
    subject = hashlib.sha256(principal.subject.encode()).hexdigest()[:32]  # no name of a person in the cache
    return ("reads" if scope["method"] in SAFE else "writes"), subject


def _network(address: str) -> str:
    try:
        if ipaddress.ip_address(address).version == 6:
            return str(ipaddress.ip_network(f"{address}/64", strict=False).network_address)
    except ValueError:
        pass  # a server's own name for a caller, such as a test client's
    return address


def _fields(policy: str, rate: Rate, verdict: Verdict) -> dict[str, str]:
    return {
        "RateLimit-Policy": f'"{policy}";q={rate.count};w={rate.seconds}',
        "RateLimit": f'"{policy}";r={verdict.remaining};t={verdict.reset}',
    }
