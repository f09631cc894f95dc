"""Units: one Lambda function each, with its own role and triggers, all from one artifact."""

import json

import pulumi
from pulumi_aws import cloudwatch, iam, lambda_, scheduler

from twofold.deploy.aws.cache import Cache
from twofold.deploy.aws.data import Data
from twofold.deploy.aws.edge import Edge
from twofold.deploy.aws.messaging import Messaging
from twofold.deploy.aws.secrets import Secrets
from twofold.deploy.config import StackConfig
from twofold.deploy.contract import environment
from twofold.deploy.package import Artifact
from twofold.manifest import ServiceManifest, Unit

TABLE_ACTIONS = [
    "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem", "dynamodb:Query", "dynamodb:ConditionCheckItem",
]  # fmt: skip
TRACE_ACTIONS = ["xray:PutSpans", "xray:PutSpansForIndexing", "xray:PutTraceSegments"]
"""What X-Ray's OTLP endpoint asks for; none of them has resource-level permissions."""
STREAM_ACTIONS = ["dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream"]
TIMEOUT_SECONDS: dict[str, int] = {"http": 29, "feed": 120, "schedule": 300}


class Compute(pulumi.ComponentResource):
    """The service's units. `functions` has each unit's Lambda by role; each may do what its work needs and no more."""

    def __init__(
        self, name: str, *, manifest: ServiceManifest, config: StackConfig, artifact: Artifact, data: Data,
        secrets: Secrets, messaging: Messaging, cache: Cache, edge: Edge,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:  # fmt: skip
        super().__init__("twofold:aws:Compute", name, None, opts)
        self._name, self._manifest, self._config, self._artifact = name, manifest, config, artifact
        self._data, self._secrets, self._messaging, self._cache, self._edge = data, secrets, messaging, cache, edge
        self.functions = {unit.role: self._unit(unit) for unit in manifest.units}
        if "feed" in self.functions:
            self._feed_trigger()
        for schedule in manifest.schedules:
            self._schedule_trigger(schedule.name, schedule.every_minutes)
        for queue in manifest.queues:
            self._queue_trigger(queue.name, queue.unit)
        self.register_outputs({})

    def _unit(self, unit: Unit) -> lambda_.Function:
        role, child = unit.role, pulumi.ResourceOptions(parent=self)
        name = f"{self._name}-{role}"
        logs = cloudwatch.LogGroup(name, name=f"/aws/lambda/{name}", retention_in_days=30, opts=child)
        identity = iam.Role(name, name=name, assume_role_policy=_trust("lambda.amazonaws.com"), opts=child)
        policy = iam.RolePolicy(
            name,
            name="unit",
            role=identity.name,
            policy=self._policy(unit, logs, identity),
            opts=pulumi.ResourceOptions(parent=self),
        )
        return lambda_.Function(
            name,
            name=name,
            description=unit.description,
            runtime="python3.13",
            architectures=["x86_64"],
            handler="lambda_function.lambda_handler",
            role=identity.arn,
            code=pulumi.FileArchive(str(self._artifact.path)),
            source_code_hash=self._artifact.digest,
            memory_size=self._config.memory_mb,
            timeout=timeout_of(unit),
            environment=lambda_.FunctionEnvironmentArgs(
                variables=environment(
                    self._manifest,
                    self._config,
                    role,
                    store_url=self._data.url,
                    queue_url=self._messaging.url,
                    events_url=self._messaging.events_url,
                    secrets_url=self._secrets.url,
                    cache_url=self._cache.url(role),
                    telemetry_url=self._telemetry_url(),
                    edge_digest=self._edge.digest,
                    forwarded_hops=1 if self._edge.digest is None else 2,
                )
            ),
            vpc_config=self._vpc(),
            logging_config=lambda_.FunctionLoggingConfigArgs(log_format="Text", log_group=logs.name),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )

    def _telemetry_url(self) -> str | None:
        where = self._config.telemetry
        return {"none": None, "managed": f"xray://{self._config.region}"}.get(where, where)

    def _vpc(self) -> lambda_.FunctionVpcConfigArgs | None:
        if not self._cache.subnets:
            return None
        return lambda_.FunctionVpcConfigArgs(
            subnet_ids=[subnet.id for subnet in self._cache.subnets],
            security_group_ids=[group.id for group in self._cache.groups],
        )

    def _policy(self, unit: Unit, logs: cloudwatch.LogGroup, identity: iam.Role) -> pulumi.Output[str]:
        statements: list[dict[str, object]] = [
            {
                "actions": ["logs:CreateLogStream", "logs:PutLogEvents"],
                "resources": [pulumi.Output.concat(logs.arn, ":*")],
            }
        ]
        if self._data.tables:
            statements.append({"actions": TABLE_ACTIONS, "resources": [t.arn for t in self._data.tables.values()]})
        if self._secrets.secrets:
            statements.append(
                {"actions": ["secretsmanager:GetSecretValue"], "resources": [s.arn for s in self._secrets.secrets]}
            )
        statements += self._messaging.statements(unit)
        statements += self._cache.statements(unit, identity.arn, f"{self._name}-{unit.role}")
        if self._config.telemetry == "managed":
            statements.append({"actions": TRACE_ACTIONS, "resources": ["*"]})
        if unit.role == "feed":
            statements.append({"actions": STREAM_ACTIONS, "resources": [self._data.tables["events"].stream_arn]})
            # ListStreams has no resource-level permission.
            statements.append({"actions": ["dynamodb:ListStreams"], "resources": ["*"]})
        return pulumi.Output.all(statements).apply(
            lambda resolved: json.dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [_statement(**statement) for statement in resolved[0]],
                }
            )
        )

    def _feed_trigger(self) -> None:
        lambda_.EventSourceMapping(
            f"{self._name}-feed",
            function_name=self.functions["feed"].arn,
            event_source_arn=self._data.tables["events"].stream_arn,
            starting_position="TRIM_HORIZON",
            batch_size=100,
            maximum_batching_window_in_seconds=0,
            parallelization_factor=1,
            function_response_types=["ReportBatchItemFailures"],
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _queue_trigger(self, queue: str, role: str) -> None:
        lambda_.EventSourceMapping(
            f"{self._name}-{queue}",
            function_name=self.functions[role].arn,
            event_source_arn=self._messaging.queues[queue].arn,
            batch_size=10,
            function_response_types=["ReportBatchItemFailures"],
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _schedule_trigger(self, schedule: str, minutes: int) -> None:
        name, function = f"{self._name}-{schedule}", self.functions["schedule"]
        identity = iam.Role(
            name, name=f"{name}-schedule", assume_role_policy=_trust("scheduler.amazonaws.com"),
            opts=pulumi.ResourceOptions(parent=self),
        )  # fmt: skip
        policy = function.arn.apply(
            lambda arn: json.dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [{"Effect": "Allow", "Action": ["lambda:InvokeFunction"], "Resource": [arn]}],
                }
            )
        )
        allowed = iam.RolePolicy(
            name, name="invoke", role=identity.name, policy=policy, opts=pulumi.ResourceOptions(parent=self)
        )
        scheduler.Schedule(
            name,
            name=name,
            schedule_expression="cron(0 * * * ? *)" if minutes == 60 else f"cron(0/{minutes} * * * ? *)",
            flexible_time_window=scheduler.ScheduleFlexibleTimeWindowArgs(mode="OFF"),
            target=scheduler.ScheduleTargetArgs(
                arn=function.arn, role_arn=identity.arn, input=json.dumps({"twofold": {"schedule": schedule}})
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[allowed]),
        )


def timeout_of(unit: Unit) -> int:
    """How long an invocation may take, in seconds: a queue's attempt, and the time to settle it."""
    if unit.queues:
        return max(spec.visibility_seconds for spec in unit.queues) + 10
    return TIMEOUT_SECONDS[unit.role]


def _statement(
    actions: list[str], resources: list[str], effect: str = "Allow", condition: dict[str, object] | None = None
) -> dict[str, object]:
    made: dict[str, object] = {"Effect": effect, "Action": actions, "Resource": resources}
    return made if condition is None else made | {"Condition": condition}


def _trust(service: str) -> str:
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}],
        }
    )
