"""Scheme -> `open(url)` of the embedded home."""

DRIVERS = {
    "store": {"sqlite": "twofold.local.document_store:open"},
    "queue": {"sqlite": "twofold.local.message_queue:open"},
    "events": {scheme: "twofold.local.event_publisher:open" for scheme in ("log", "http", "https")},
    "secrets": {"file": "twofold.local.secret_store:open"},
    "metrics": {"prometheus": "twofold.local.metrics:open"},
    "telemetry": {scheme: "twofold.local.telemetry:open" for scheme in ("console", "otlp", "otlp+https")},
    "cache": {scheme: "twofold.local.cache:open" for scheme in ("memory", "redis")},
}
