"""Scheme -> `open(url)` of Azure."""

DRIVERS = {
    "store": {"cosmos": "twofold.azure.document_store:open"},
    "secrets": {"keyvault": "twofold.azure.secret_store:open"},
}
