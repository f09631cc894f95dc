"""Scheme -> `open(url)` of Azure."""

DRIVERS = {
    "store": {"cosmos": "twofold.azure.document_store:open"},
    "queue": {"storagequeue": "twofold.azure.message_queue:open"},
    "secrets": {"keyvault": "twofold.azure.secret_store:open"},
}
