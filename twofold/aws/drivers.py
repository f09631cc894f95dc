"""Scheme -> `open(url)` of AWS."""

DRIVERS = {
    "store": {"dynamodb": "twofold.aws.document_store:open"},
    "queue": {"sqs": "twofold.aws.message_queue:open"},
    "secrets": {"secretsmanager": "twofold.aws.secret_store:open"},
}
