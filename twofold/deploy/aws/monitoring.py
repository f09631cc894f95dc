"""Alarms: one for each queue, on its dead letters."""

import pulumi
from pulumi_aws import cloudwatch

from twofold.deploy.aws.messaging import Messaging
from twofold.portable.message_queue import dead_letter_name


class Monitoring(pulumi.ComponentResource):
    """A CloudWatch alarm `<prefix>-<dead-letter queue>` that is on while the queue has dead letters."""

    def __init__(self, name: str, *, messaging: Messaging, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("twofold:aws:Monitoring", name, None, opts)
        for queue, dead in messaging.dead.items():
            dead_name = f"{name}-{dead_letter_name(queue)}"
            cloudwatch.MetricAlarm(
                dead_name, name=dead_name, alarm_description=f"{queue}: messages that no attempt could work off",
                namespace="AWS/SQS", metric_name="ApproximateNumberOfMessagesVisible", dimensions={"QueueName": dead.name},
                statistic="Maximum", period=300, evaluation_periods=1, threshold=0,
                comparison_operator="GreaterThanThreshold", treat_missing_data="notBreaching",
                opts=pulumi.ResourceOptions(parent=self),
            )  # fmt: skip
        self.register_outputs({})
