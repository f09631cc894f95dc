"""Scheme -> `open(url)` of AWS."""

DRIVERS = {
    "store": {"dynamodb": "twofold.aws.document_store:open"},
    "secrets": {"secretsmanager": "twofold.aws.secret_store:open"},
}
