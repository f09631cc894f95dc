"""Who is told of alarms: an address by SNS, a webhook by EventBridge, since a chat's webhook confirms no subscription."""

import json

import pulumi
from pulumi_aws import cloudwatch, iam, sns

from twofold.deploy.aws.policies import allow, policy, trust
from twofold.deploy.config import StackConfig


class Notifications(pulumi.ComponentResource):
    """`actions` are what an alarm does when it goes on and off; empty when `twofold:alertEmail` and `alertWebhook` are not set.

    SNS asks the address once to confirm. A webhook gets the alarm's change of state as EventBridge has it, JSON by POST.
    """

    def __init__(self, name: str, *, config: StackConfig, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("twofold:aws:Notifications", name, None, opts)
        self._name, self._child = name, pulumi.ResourceOptions(parent=self)
        self._boundary = config.permissions_boundary or None
        self.actions: list[pulumi.Output[str]] = []
        self.wanted = bool(config.alert_email or config.alert_webhook)
        if config.alert_email:
            topic = sns.Topic(f"{name}-alarms", name=f"{name}-alarms", opts=self._child)
            sns.TopicSubscription(
                f"{name}-alarms", topic=topic.arn, protocol="email", endpoint=config.alert_email, opts=self._child
            )
            self.actions.append(topic.arn)
        if config.alert_webhook:
            self._webhook(config.alert_webhook)
        self.register_outputs({})

    def _webhook(self, url: str) -> None:
        name, child = f"{self._name}-alarms", self._child
        # A destination wants a login of some kind; this one says who calls, and is no secret.
        key = cloudwatch.EventConnectionAuthParametersApiKeyArgs(key="X-Twofold-Stack", value=self._name)
        connection = cloudwatch.EventConnection(
            name, name=name, authorization_type="API_KEY",
            auth_parameters=cloudwatch.EventConnectionAuthParametersArgs(api_key=key), opts=child,
        )  # fmt: skip
        destination = cloudwatch.EventApiDestination(
            name, name=name, invocation_endpoint=url, http_method="POST", connection_arn=connection.arn,
            invocation_rate_limit_per_second=1, opts=child,
        )  # fmt: skip
        role = iam.Role(
            name, name=name, assume_role_policy=trust("events.amazonaws.com"), permissions_boundary=self._boundary, opts=child
        )  # fmt: skip
        send = destination.arn.apply(lambda arn: policy(allow(["events:InvokeApiDestination"], [arn])))
        iam.RolePolicy(name, name="webhook", role=role.name, policy=send, opts=child)
        pattern = {
            "source": ["aws.cloudwatch"], "detail-type": ["CloudWatch Alarm State Change"],
            "detail": {"alarmName": [{"prefix": f"{self._name}-"}]},
        }  # fmt: skip
        rule = cloudwatch.EventRule(name, name=name, event_pattern=json.dumps(pattern), opts=child)
        cloudwatch.EventTarget(name, rule=rule.name, arn=destination.arn, role_arn=role.arn, opts=child)
