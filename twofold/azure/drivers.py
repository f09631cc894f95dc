"""Scheme -> `open(url)` of Azure."""

DRIVERS = {
    "store": {"cosmos": "twofold.azure.document_store:open"},
    "queue": {"storagequeue": "twofold.azure.message_queue:open"},
    "events": {"eventgrid": "twofold.azure.event_publisher:open"},
    "secrets": {"keyvault": "twofold.azure.secret_store:open"},
    "metrics": {"azuremonitor": "twofold.azure.metrics:open"},
    "telemetry": {"azuremonitor": "twofold.azure.telemetry:open"},
    "cache": {"azureredis": "twofold.azure.cache:open"},
}
