"""Scheme -> `from_url(url)` of the embedded home."""

DRIVERS = {
    "store": {"sqlite": "twofold.local.document_store:from_url"},
    "queue": {"sqlite": "twofold.local.message_queue:from_url"},
    "events": {scheme: "twofold.local.event_publisher:from_url" for scheme in ("log", "http", "https")},
    "secrets": {"file": "twofold.local.secret_store:from_url"},
    "metrics": {"prometheus": "twofold.local.metrics:from_url"},
    "telemetry": {scheme: "twofold.local.telemetry:from_url" for scheme in ("console", "otlp", "otlp+https")},
    "cache": {scheme: "twofold.local.cache:from_url" for scheme in ("memory", "redis")},
}
