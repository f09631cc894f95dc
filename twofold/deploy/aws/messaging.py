"""Queues, each with its dead-letter twin; the event bus, where the service publishes."""

import pulumi
from pulumi_aws import cloudwatch, sqs

from twofold.manifest import ServiceManifest, Unit
from twofold.portable.message_queue import dead_letter_name

RETENTION_SECONDS = 14 * 86_400
CRASHES = 5
"""Deliveries beyond the kit's own attempts before SQS itself gives a message up: the backstop for a dying worker."""


class Messaging(pulumi.ComponentResource):
    """SQS queues `<prefix>-<queue>`, and the bus `<prefix>`. `url` and `events_url` are theirs, None without any.

    `key` is a KMS key's ARN, else keys of SQS and EventBridge encrypt what waits.
    """

    def __init__(
        self, name: str, *, manifest: ServiceManifest, region: str, protect: bool,
        key: str | None = None, opts: pulumi.ResourceOptions | None = None,
    ) -> None:  # fmt: skip
        super().__init__("twofold:aws:Messaging", name, None, opts)
        self.queues: dict[str, sqs.Queue] = {}
        self.dead: dict[str, sqs.Queue] = {}
        protected = pulumi.ResourceOptions(parent=self, protect=protect, retain_on_delete=protect)
        own = True if key is None else None  # one of the two
        for spec in manifest.queues:
            dead_name = f"{name}-{dead_letter_name(spec.name)}"
            dead = sqs.Queue(
                dead_name, name=dead_name, message_retention_seconds=RETENTION_SECONDS, kms_master_key_id=key,
                sqs_managed_sse_enabled=own, opts=protected,
            )  # fmt: skip
            redrive = pulumi.Output.json_dumps(
                {"deadLetterTargetArn": dead.arn, "maxReceiveCount": spec.max_attempts + CRASHES}
            )
            self.dead[spec.name] = dead
            self.queues[spec.name] = sqs.Queue(
                f"{name}-{spec.name}", name=f"{name}-{spec.name}", message_retention_seconds=RETENTION_SECONDS,
                # Six times the function's time, as AWS advises: no second delivery while the first still runs.
                visibility_timeout_seconds=6 * (spec.visibility_seconds + 10), kms_master_key_id=key,
                sqs_managed_sse_enabled=own, redrive_policy=redrive, opts=protected,
            )  # fmt: skip
        self.bus: cloudwatch.EventBus | None = None
        if manifest.publishes:
            self.bus = cloudwatch.EventBus(
                name, name=name, kms_key_identifier=key, opts=pulumi.ResourceOptions(parent=self)
            )
        self.events_url = f"eventbridge://{region}/{name}" if manifest.publishes else None
        self.url = f"sqs://{region}/{name}" if manifest.queues else None
        self.register_outputs({"url": self.url})

    def statements(self, unit: Unit) -> list[dict[str, object]]:
        """What a unit may do: any may send and publish; its own queues alone it may work off, their dead twins included."""
        allowed: list[dict[str, object]] = []
        if self.bus is not None:
            allowed.append({"actions": ["events:PutEvents"], "resources": [self.bus.arn]})
        if self.queues:
            every = [queue.arn for queue in self.queues.values()]
            allowed.append({"actions": ["sqs:GetQueueUrl", "sqs:SendMessage"], "resources": every})
        if unit.queues:
            own = [self.queues[spec.name].arn for spec in unit.queues]
            work = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"]
            dead = [self.dead[spec.name].arn for spec in unit.queues]
            allowed.append({"actions": work, "resources": own})
            allowed.append({"actions": ["sqs:GetQueueUrl", "sqs:SendMessage"], "resources": dead})
        return allowed
