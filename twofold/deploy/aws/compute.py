"""Units: one Lambda function each, with its own role and triggers, all from one artifact or image."""

import json
from typing import Any

import pulumi
from pulumi_aws import cloudwatch, iam, lambda_, scheduler

from twofold.deploy.aws import encryption
from twofold.deploy.aws.cache import Cache
from twofold.deploy.aws.data import Data
from twofold.deploy.aws.edge import Edge
from twofold.deploy.aws.issuer import Issuer
from twofold.deploy.aws.messaging import Messaging
from twofold.deploy.aws.network import Network
from twofold.deploy.aws.policies import allow, policy, trust
from twofold.deploy.aws.release import Release
from twofold.deploy.aws.secrets import Secrets
from twofold.deploy.config import OUTDATED, ConfigError, StackConfig
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
    """The service's units: `functions` by role, and `live`, their aliases, which is what everything calls.

    `units` are the functions' names by role, and `releases_url` is where their versions are. Each may do what its work needs
    and no more.
    """

    def __init__(
        self, name: str, *, manifest: ServiceManifest, config: StackConfig, artifact: Artifact, data: Data,
        secrets: Secrets, messaging: Messaging, cache: Cache, edge: Edge, issuer: Issuer,
        network: Network | None = None, opts: pulumi.ResourceOptions | None = None,
    ) -> None:  # fmt: skip
        super().__init__("twofold:aws:Compute", name, None, opts)
        self._name, self._manifest, self._config, self._artifact = name, manifest, config, artifact
        self._data, self._secrets, self._messaging, self._cache, self._edge = data, secrets, messaging, cache, edge
        self._issuer, self._network = issuer, network or cache.network
        if config.encryption_key and data.key is None:
            raise ConfigError(OUTDATED.format("aws"))
        self._bounded = config.permissions_boundary or None
        self.logs: list[pulumi.Output[str]] = []
        self.functions = {unit.role: self._unit(unit) for unit in manifest.units}
        child = pulumi.ResourceOptions(parent=self)
        self.live = Release(name, config=config, functions=self.functions, opts=child).live
        if "feed" in self.live:
            self._feed_trigger()
        for schedule in manifest.schedules:
            self._schedule_trigger(schedule.name, schedule.every_minutes)
        for unit in manifest.units:
            for queue in unit.queues:
                self._queue_trigger(queue.name, unit)
        self.units = {role: function.name for role, function in self.functions.items()}
        self.releases_url = f"lambda://{config.region}/{name}"
        self.register_outputs({"units": self.units})

    def _unit(self, unit: Unit) -> lambda_.Function:
        role, child = unit.role, pulumi.ResourceOptions(parent=self)
        name = f"{self._name}-{role}"
        logs = cloudwatch.LogGroup(
            name, name=f"/aws/lambda/{name}", retention_in_days=30, kms_key_id=self._config.encryption_key or None,
            opts=child,
        )  # fmt: skip
        self.logs.append(logs.name)
        identity = iam.Role(
            name, name=name, assume_role_policy=trust("lambda.amazonaws.com"), permissions_boundary=self._bounded,
            opts=child,
        )  # fmt: skip
        granted = iam.RolePolicy(
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
            architectures=["x86_64"],
            role=identity.arn,
            publish=True,
            memory_size=self._config.memory_mb,
            timeout=timeout_of(unit),
            reserved_concurrent_executions=self._config.max_instances.get(role),
            snap_start=self._snap_start(),
            environment=lambda_.FunctionEnvironmentArgs(
                variables=environment(
                    self._manifest,
                    self._config,
                    role,
                    oidc_issuer=self._issuer.url,
                    oidc_audience=self._issuer.audience,
                    store_url=self._data.url,
                    queue_url=self._messaging.url,
                    events_url=self._messaging.events_url,
                    secrets_url=self._secrets.url,
                    cache_url=self._cache.url(role),
                    telemetry_url=self._telemetry_url(),
                    metrics_url="emf:",
                    edge_digest=self._edge.digest,
                    forwarded_hops=1 if self._edge.digest is None else 2,
                )
            ),
            vpc_config=self._vpc(),
            logging_config=lambda_.FunctionLoggingConfigArgs(log_format="Text", log_group=logs.name),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[granted]),
            **self._code(),
        )

    def _code(self) -> dict[str, Any]:
        if self._config.image:
            return {"package_type": "Image", "image_uri": self._config.image}
        return {
            "runtime": "python3.13",
            "handler": "lambda_function.lambda_handler",
            "code": pulumi.FileArchive(str(self._artifact.path)),
            "source_code_hash": self._artifact.digest,
        }

    def _snap_start(self) -> lambda_.FunctionSnapStartArgs | None:
        return lambda_.FunctionSnapStartArgs(apply_on="PublishedVersions") if self._config.snap_start else None

    def _telemetry_url(self) -> str | None:
        where = self._config.telemetry
        return {"none": None, "managed": f"xray://{self._config.region}"}.get(where, where)

    def _vpc(self) -> lambda_.FunctionVpcConfigArgs | None:
        network = self._network
        if not network.subnets:
            return None
        return lambda_.FunctionVpcConfigArgs(subnet_ids=network.subnets, security_group_ids=network.groups)

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
        statements += self._cache.statements(unit)
        statements += self._network.statements(identity.arn, f"{self._name}-{unit.role}")
        statements += encryption.statements(self._manifest, self._config)
        if self._config.telemetry == "managed":
            statements.append({"actions": TRACE_ACTIONS, "resources": ["*"]})
        if unit.role == "feed":
            statements.append({"actions": STREAM_ACTIONS, "resources": [self._data.tables["events"].stream_arn]})
            # ListStreams has no resource-level permission.
            statements.append({"actions": ["dynamodb:ListStreams"], "resources": ["*"]})
        return pulumi.Output.all(statements).apply(
            lambda resolved: policy(*(_statement(**statement) for statement in resolved[0]))
        )

    def _feed_trigger(self) -> None:
        lambda_.EventSourceMapping(
            f"{self._name}-feed",
            function_name=self.live["feed"].arn,
            event_source_arn=self._data.tables["events"].stream_arn,
            starting_position="TRIM_HORIZON",
            batch_size=100,
            maximum_batching_window_in_seconds=0,
            parallelization_factor=1,
            function_response_types=["ReportBatchItemFailures"],
            # Nothing is ever given up: no retries or age are set. A batch that ends the function is halved until it fits.
            bisect_batch_on_function_error=True,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _queue_trigger(self, queue: str, unit: Unit) -> None:
        # Without it the poller hands out more than may run, and SQS counts what was refused as received.
        most = self._config.max_instances.get(unit.role)
        share = most and most // len(unit.queues)
        lambda_.EventSourceMapping(
            f"{self._name}-{queue}",
            function_name=self.live[unit.role].arn,
            event_source_arn=self._messaging.queues[queue].arn,
            batch_size=10,
            function_response_types=["ReportBatchItemFailures"],
            scaling_config=lambda_.EventSourceMappingScalingConfigArgs(maximum_concurrency=share) if share else None,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _schedule_trigger(self, schedule: str, minutes: int) -> None:
        name, live = f"{self._name}-{schedule}", self.live["schedule"]
        identity = iam.Role(
            name, name=f"{name}-schedule", assume_role_policy=trust("scheduler.amazonaws.com"),
            permissions_boundary=self._bounded, opts=pulumi.ResourceOptions(parent=self),
        )  # fmt: skip
        invoke = live.arn.apply(lambda arn: policy(allow(["lambda:InvokeFunction"], [arn])))
        allowed = iam.RolePolicy(
            name, name="invoke", role=identity.name, policy=invoke, opts=pulumi.ResourceOptions(parent=self)
        )
        scheduler.Schedule(
            name,
            name=name,
            schedule_expression="cron(0 * * * ? *)" if minutes == 60 else f"cron(0/{minutes} * * * ? *)",
            flexible_time_window=scheduler.ScheduleFlexibleTimeWindowArgs(mode="OFF"),
            target=scheduler.ScheduleTargetArgs(
                arn=live.arn, role_arn=identity.arn, input=json.dumps({"twofold": {"schedule": schedule}})
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
    statement: dict[str, object] = {"Effect": effect, "Action": actions, "Resource": resources}
    return statement if condition is None else statement | {"Condition": condition}
