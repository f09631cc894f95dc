"""Scheme -> `from_url(url)` of Azure."""

DRIVERS = {
    "store": {"cosmos": "twofold.azure.document_store:from_url"},
    "queue": {"storagequeue": "twofold.azure.message_queue:from_url"},
    "events": {"eventgrid": "twofold.azure.event_publisher:from_url"},
    "secrets": {"keyvault": "twofold.azure.secret_store:from_url"},
    "metrics": {"azuremonitor": "twofold.azure.metrics:from_url"},
    "telemetry": {"azuremonitor": "twofold.azure.telemetry:from_url"},
    "cache": {"azureredis": "twofold.azure.cache:from_url"},
}
