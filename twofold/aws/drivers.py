"""Scheme -> `open(url)` of AWS."""

DRIVERS = {
    "store": {"dynamodb": "twofold.aws.document_store:open"},
    "queue": {"sqs": "twofold.aws.message_queue:open"},
    "events": {"eventbridge": "twofold.aws.event_publisher:open"},
    "secrets": {"secretsmanager": "twofold.aws.secret_store:open"},
    "metrics": {"emf": "twofold.aws.metrics:open"},
    "telemetry": {"xray": "twofold.aws.telemetry:open"},
    "cache": {"elasticache": "twofold.aws.cache:open"},
}
