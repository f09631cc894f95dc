"""The payment provider of a checkout: captures everything but the amount 66,600, as an ASGI application."""

import hashlib
from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Header, HTTPException, Response
from pydantic import BaseModel

DECLINED_AMOUNT = 66_600


class Charge(BaseModel):
    """A charge in minor units."""

    order: str
    amount: int
    currency: str


class Charged(BaseModel):
    """What became of it."""

    status: str
    reference: str
    reason: str | None = None


def sandbox(api_key: Callable[[], Awaitable[str]]) -> FastAPI:
    """A provider that takes the API key of the moment.

    The reference follows from the idempotency key: asked again, it answers the same.
    """
    app = FastAPI()

    @app.post("/charges")
    async def charge(
        body: Charge, response: Response, authorization: str = Header(), idempotency_key: str = Header()
    ) -> Charged:
        if authorization != f"Bearer {await api_key()}":
            raise HTTPException(401)
        reference = hashlib.sha256(idempotency_key.encode()).hexdigest()[:16]
        if body.amount == DECLINED_AMOUNT:
            response.status_code = 402
            return Charged(status="declined", reference=reference, reason="insufficient funds")
        return Charged(status="captured", reference=reference)

    return app
