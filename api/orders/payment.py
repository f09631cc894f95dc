"""Paying: an outbox hands the request to the queue, a worker asks the provider over HTTP with a secret key.

Nothing is charged twice: the provider is given the order's id and the request's number as idempotency key, and an order
that is paid already is left alone.
"""

import secrets
from typing import Any

import httpx

from api.orders import events
from api.orders.handlers import OrderNotFound, change, load
from api.orders.sandbox import sandbox
from twofold.bootstrap import Services
from twofold.errors import SecretNotFound, TwofoldError
from twofold.portable.event_store import Commit
from twofold.portable.message import Message
from twofold.portable.resilience import Outbound, OutboundFailed

API_KEY = "payment-api-key"
QUEUE = "payments"


class PaymentUnavailable(TwofoldError):
    """The provider did not answer, or not as agreed; asking again is safe."""


async def request_payments(services: Services, commit: Commit) -> None:
    """The outbox consumer: each PaymentRequested becomes a message, with the same id when it is delivered again."""
    for event in commit.events:
        if event.type == events.PAYMENT_REQUESTED:
            order_id = event.stream.removeprefix("order-")
            message = Message(
                "orders.pay", {"order": order_id, "request": event.number}, id=f"{order_id}-{event.number}"
            )
            await services.queue.send(QUEUE, message)


async def pay(services: Services, message: Message) -> None:
    """The worker: asks the provider for the money and records what it said.

    While the provider is down the order stays `payment_pending`, and the queue asks again later, for most of an hour.
    """
    order_id, request = message.data["order"], message.data["request"]
    try:
        order = await load(services, order_id)
    except OrderNotFound:
        return
    if not order.awaits(request):
        return
    answer = await _charge(services, order_id, f"{order_id}-{request}", order.total, order.currency)
    if answer["status"] == "captured":
        await change(services, order_id, lambda order: order.confirm_payment(request, answer["reference"]))
    else:
        reason = answer.get("reason") or "declined"
        await change(services, order_id, lambda order: order.decline_payment(request, reason))


async def _charge(services: Services, order_id: str, key: str, amount: int, currency: str) -> dict[str, Any]:
    body = {"order": order_id, "amount": amount, "currency": currency}
    api_key = await _api_key(services)
    answer = await _post(services, api_key, key, body)
    if answer.status_code in (401, 403):  # rotated meanwhile
        answer = await _post(services, await services.secrets.refresh(API_KEY, rejected=api_key), key, body)
    if answer.status_code not in (200, 201, 402):
        raise PaymentUnavailable(f"the payment provider answered {answer.status_code}")
    result: dict[str, Any] = answer.json()
    return result


async def _post(services: Services, api_key: str, key: str, body: dict[str, Any]) -> httpx.Response:
    headers = {"Authorization": f"Bearer {api_key}", "Idempotency-Key": key}
    try:
        return await _provider(services).request("POST", "/charges", json=body, headers=headers)
    except OutboundFailed as exc:
        raise PaymentUnavailable(str(exc)) from exc


def _provider(services: Services) -> Outbound:
    if url := services.settings.app["payment_url"]:
        return services.outbound("payments", url)
    sandboxed = httpx.ASGITransport(app=sandbox(lambda: services.secrets.get(API_KEY)))
    return services.outbound("payments", "http://sandbox.invalid", transport=sandboxed)


async def _api_key(services: Services) -> str:
    try:
        return await services.secrets.get(API_KEY)
    except SecretNotFound:
        if services.settings.deployed:
            raise
        await services.secrets.set(API_KEY, secrets.token_urlsafe(24))  # the sandbox's, made at the first payment
        return await services.secrets.get(API_KEY)
