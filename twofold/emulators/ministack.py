"""ministack: an AWS account on one port. SQS, Secrets Manager, EventBridge, DynamoDB with streams, Lambda, API Gateway.

Known divergences: no IAM, throttles or WAF; its own stream mapping ignores partial failures, retries and bisects, which is
why `dynamodb_stream.py` reads the stream itself.
"""

import sys
from pathlib import Path
from typing import Any

REGION = "eu-central-1"
KEYS = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}


def command() -> list[str]:
    """What serves the account that `environ` describes, all in memory."""
    return [str(Path(sys.executable).with_name("ministack"))]


def environ(port: int) -> dict[str, str]:
    """On 127.0.0.1:port, without the listener that IoT devices would want."""
    return {"IOT_MTLS_ENABLED": "0", "BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port)}


def client(service: str, endpoint: str) -> Any:
    """An SDK client of one of its services."""
    import boto3

    make: Any = boto3.client  # overloaded by each service's name
    return make(service, region_name=REGION, endpoint_url=endpoint, **KEYS)
