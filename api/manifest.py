"""The orders service, said once: triggers, loops, permissions and settings follow from this."""

from twofold import ConsumerSpec, ProjectionSpec, QueueSpec, ScheduleSpec, SecretSpec, ServiceManifest, SettingSpec

SERVICE = ServiceManifest(
    name="orders",
    title="Orders",
    app="api.app:create_app",
    blocks=frozenset({"documents", "events"}),
    queues=(QueueSpec("payments", handler="api.orders.payment:pay", max_attempts=12, once=True),),
    projections=(ProjectionSpec("orders", handler="api.orders.views:project"),),
    consumers=(
        ConsumerSpec("order-events", handler="api.orders.integration:publish"),
        ConsumerSpec("payment-outbox", handler="api.orders.payment:request_payments"),
    ),
    schedules=(ScheduleSpec("expire-unpaid", handler="api.orders.handlers:expire_unpaid", every_minutes=5),),
    secrets=(SecretSpec("payment-api-key", "the payment provider's API key"),),
    settings=(SettingSpec("payment_url", "base URL of the payment provider; empty in a checkout: the sandbox"),),
    publishes=("orders.placed", "orders.paid", "orders.shipped", "orders.cancelled", "orders.expired"),
    upcasters="api.orders.events:UPCASTERS",
    scopes=("orders.read", "orders.write", "orders.admin"),
    sample_request=(
        "/orders -H 'content-type: application/json' -d "
        """'{"customer_id":"c-1","currency":"EUR","lines":[{"sku":"A1","quantity":2,"unit_price":1250}]}'"""
    ),
)
