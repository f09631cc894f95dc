"""A KMS key of the customer's (`twofold:encryptionKey`): what the units' roles need of it.

Tables with their streams, queues, secrets, the event bus, log groups and the cache are encrypted with it. All but the cache take
it, and leave it, in place. Two services use the key as themselves, so its policy has to let them: CloudWatch Logs
(`logs.<region>.amazonaws.com`) and EventBridge (`events.amazonaws.com`). docs/design/networks.md has the policy.
"""

from twofold.deploy.config import StackConfig
from twofold.manifest import ServiceManifest


def statements(manifest: ServiceManifest, config: StackConfig) -> list[dict[str, object]]:
    """What a unit's role may do with the key, through the services that keep its data alone; nothing without a key.

    DynamoDB decrypts a table's key as the caller for reads and writes alike; SQS makes a data key for who sends.
    """
    used = {"dynamodb": manifest.blocks, "secretsmanager": manifest.secrets, "sqs": manifest.queues}
    services = [service for service in sorted(used) if used[service]]
    if not config.encryption_key or not services:
        return []
    allowed = [_through(config, "kms:Decrypt", services)]
    return [*allowed, _through(config, "kms:GenerateDataKey", ["sqs"])] if manifest.queues else allowed


def _through(config: StackConfig, action: str, services: list[str]) -> dict[str, object]:
    hosts = [f"{service}.{config.region}.amazonaws.com" for service in services]
    condition = {"StringEquals": {"kms:ViaService": hosts}}
    return {"actions": [action], "resources": [config.encryption_key], "condition": condition}
