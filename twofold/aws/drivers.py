"""Scheme -> `from_url(url)` of AWS."""

DRIVERS = {
    "store": {"dynamodb": "twofold.aws.document_store:from_url"},
    "queue": {"sqs": "twofold.aws.message_queue:from_url"},
    "events": {"eventbridge": "twofold.aws.event_publisher:from_url"},
    "secrets": {"secretsmanager": "twofold.aws.secret_store:from_url"},
    "metrics": {"emf": "twofold.aws.metrics:from_url"},
    "telemetry": {"xray": "twofold.aws.telemetry:from_url"},
    "cache": {"elasticache": "twofold.aws.cache:from_url"},
}
