"""What keeps data: tables, secrets, queues, the event bus, log groups; and alarms."""

import json

from tests.engine.emulated.kind import Kind, NotThere, Plain, only, pairs


class Table(Kind):
    """A DynamoDB table with its stream, time to live and point-in-time recovery."""

    service = "dynamodb"

    def create(self, client, inputs, tags):
        """See `Kind`."""
        stream = {"StreamViewType": inputs["streamViewType"]} if inputs.get("streamEnabled") else {}
        client.create_table(
            TableName=inputs["name"],
            KeySchema=[
                {"AttributeName": inputs["hashKey"], "KeyType": "HASH"},
                {"AttributeName": inputs["rangeKey"], "KeyType": "RANGE"},
            ],
            AttributeDefinitions=pairs(
                {one["name"]: one["type"] for one in inputs["attributes"]}, "AttributeName", "AttributeType"
            ),
            BillingMode=inputs["billingMode"],
            StreamSpecification={"StreamEnabled": inputs.get("streamEnabled", False), **stream},
            SSESpecification={"Enabled": inputs["serverSideEncryption"]["enabled"]},
            DeletionProtectionEnabled=inputs["deletionProtectionEnabled"],
            Tags=pairs(tags),
        )
        client.get_waiter("table_exists").wait(TableName=inputs["name"], WaiterConfig={"Delay": 1})
        client.update_time_to_live(
            TableName=inputs["name"],
            TimeToLiveSpecification={
                "AttributeName": inputs["ttl"]["attributeName"],
                "Enabled": inputs["ttl"]["enabled"],
            },
        )
        client.update_continuous_backups(
            TableName=inputs["name"],
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": inputs["pointInTimeRecovery"]["enabled"]},
        )
        return inputs["name"]

    def read(self, client, resource_id, inputs):
        """See `Kind`."""
        table = client.describe_table(TableName=resource_id)["Table"]
        ttl = client.describe_time_to_live(TableName=resource_id)["TimeToLiveDescription"]
        backups = client.describe_continuous_backups(TableName=resource_id)["ContinuousBackupsDescription"]
        keys = {key["KeyType"]: key["AttributeName"] for key in table["KeySchema"]}
        stream = table.get("StreamSpecification", {})
        return {
            "name": table["TableName"],
            "arn": table["TableArn"],
            "hashKey": keys["HASH"],
            "rangeKey": keys["RANGE"],
            "attributes": [
                {"name": one["AttributeName"], "type": one["AttributeType"]} for one in table["AttributeDefinitions"]
            ],
            "billingMode": table["BillingModeSummary"]["BillingMode"],
            "streamEnabled": stream.get("StreamEnabled", False),
            "streamViewType": stream.get("StreamViewType"),
            "streamArn": table.get("LatestStreamArn"),
            "serverSideEncryption": {"enabled": table.get("SSEDescription", {}).get("Status") == "ENABLED"},
            "deletionProtectionEnabled": table["DeletionProtectionEnabled"],
            "ttl": {"attributeName": ttl["AttributeName"], "enabled": ttl["TimeToLiveStatus"] == "ENABLED"},
            "pointInTimeRecovery": {
                "enabled": backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
            },
        }

    def delete(self, client, resource_id, inputs):
        """See `Kind`."""
        client.delete_table(TableName=resource_id)
        client.get_waiter("table_not_exists").wait(TableName=resource_id, WaiterConfig={"Delay": 1})


QUEUE_ATTRIBUTES = {
    "messageRetentionSeconds": "MessageRetentionPeriod",
    "visibilityTimeoutSeconds": "VisibilityTimeout",
    "sqsManagedSseEnabled": "SqsManagedSseEnabled",
    "redrivePolicy": "RedrivePolicy",
}


class Queue(Kind):
    """An SQS queue. All attributes are texts there."""

    service = "sqs"

    def create(self, client, inputs, tags):
        """See `Kind`."""
        return client.create_queue(QueueName=inputs["name"], Attributes=self._texts(inputs), tags=tags)["QueueUrl"]

    def read(self, client, resource_id, inputs):
        """See `Kind`."""
        attributes = client.get_queue_attributes(QueueUrl=resource_id, AttributeNames=["All"])["Attributes"]
        values = {name: attributes[argument] for name, argument in QUEUE_ATTRIBUTES.items() if argument in attributes}
        own = {name: text if name == "redrivePolicy" else json.loads(text) for name, text in values.items()}
        return own | {"name": resource_id.rpartition("/")[2], "arn": attributes["QueueArn"], "url": resource_id}

    def update(self, client, resource_id, old, new):
        """See `Kind`."""
        client.set_queue_attributes(QueueUrl=resource_id, Attributes=self._texts(new))

    def delete(self, client, resource_id, inputs):
        """See `Kind`."""
        client.delete_queue(QueueUrl=resource_id)

    def _texts(self, inputs):
        named = {argument: inputs[name] for name, argument in QUEUE_ATTRIBUTES.items() if name in inputs}
        return {name: value if isinstance(value, str) else json.dumps(value) for name, value in named.items()}


class Secret(Kind):
    """A Secrets Manager secret without a value."""

    service = "secretsmanager"

    def create(self, client, inputs, tags):
        """See `Kind`."""
        return client.create_secret(Name=inputs["name"], Description=inputs["description"], Tags=pairs(tags))["ARN"]

    def read(self, client, resource_id, inputs):
        """See `Kind`."""
        secret = client.describe_secret(SecretId=resource_id)
        # The recovery window is a deletion's argument; until then it is the provider's to remember.
        own = {"recoveryWindowInDays": inputs["recoveryWindowInDays"]}
        return own | {"name": secret["Name"], "arn": secret["ARN"], "description": secret["Description"]}

    def delete(self, client, resource_id, inputs):
        """See `Kind`."""
        days = inputs["recoveryWindowInDays"]  # without any the provider asks for another thing
        client.delete_secret(
            SecretId=resource_id, **({"RecoveryWindowInDays": days} if days else {"ForceDeleteWithoutRecovery": True})
        )


class LogGroup(Kind):
    """A log group with its retention."""

    service = "logs"

    def create(self, client, inputs, tags):
        """See `Kind`."""
        client.create_log_group(logGroupName=inputs["name"], tags=tags)
        self.update(client, inputs["name"], {}, inputs)
        return inputs["name"]

    def read(self, client, resource_id, inputs):
        """See `Kind`."""
        groups = client.describe_log_groups(logGroupNamePrefix=resource_id)["logGroups"]
        log_group = only([group for group in groups if group["logGroupName"] == resource_id])
        # The service ends it with `:*`, the provider does not.
        return {
            "name": resource_id,
            "arn": log_group["arn"].removesuffix(":*"),
            "retentionInDays": log_group.get("retentionInDays"),
        }

    def update(self, client, resource_id, old, new):
        """See `Kind`."""
        client.put_retention_policy(logGroupName=resource_id, retentionInDays=new["retentionInDays"])

    def delete(self, client, resource_id, inputs):
        """See `Kind`."""
        client.delete_log_group(logGroupName=resource_id)


class MetricAlarm(Plain):
    """A CloudWatch alarm on one metric."""

    def __init__(self):
        super().__init__(
            "cloudwatch", "metric_alarm", "AlarmName", renamed={"name": "AlarmName", "okActions": "OKActions"}
        )

    def create(self, client, inputs, tags):
        """See `Kind`."""
        client.put_metric_alarm(**self._put(inputs), Tags=pairs(tags))
        return inputs["name"]

    def read(self, client, resource_id, inputs):
        """See `Kind`."""
        alarm = only(client.describe_alarms(AlarmNames=[resource_id])["MetricAlarms"])
        dimensions = {one["Name"]: one["Value"] for one in alarm["Dimensions"]}
        return self.properties(alarm) | {"dimensions": dimensions, "arn": alarm["AlarmArn"]}

    def update(self, client, resource_id, old, new):
        """See `Kind`."""
        client.put_metric_alarm(**self._put(new))

    def delete(self, client, resource_id, inputs):
        """See `Kind`."""
        client.delete_alarms(AlarmNames=[resource_id])

    def _put(self, inputs):
        return self.arguments(inputs) | {"Dimensions": pairs(inputs["dimensions"], "Name")}


class Dashboard(Kind):
    """A CloudWatch dashboard."""

    service = "cloudwatch"

    def create(self, client, inputs, tags):
        """See `Kind`."""
        client.put_dashboard(DashboardName=inputs["dashboardName"], DashboardBody=inputs["dashboardBody"])
        return inputs["dashboardName"]

    def read(self, client, resource_id, inputs):
        """See `Kind`."""
        dashboard = client.get_dashboard(DashboardName=resource_id)
        return {"dashboardName": dashboard["DashboardName"], "dashboardBody": dashboard["DashboardBody"]}

    def update(self, client, resource_id, old, new):
        """See `Kind`."""
        self.create(client, new, {})

    def delete(self, client, resource_id, inputs):
        """See `Kind`."""
        client.delete_dashboards(DashboardNames=[resource_id])


KINDS = {
    "aws:cloudwatch/dashboard:Dashboard": Dashboard(),
    "aws:cloudwatch/queryDefinition:QueryDefinition": NotThere("logs"),
    "aws:dynamodb/table:Table": Table(),
    "aws:sqs/queue:Queue": Queue(),
    "aws:secretsmanager/secret:Secret": Secret(),
    "aws:cloudwatch/eventBus:EventBus": Plain("events", "event_bus", "Name", get="describe"),
    "aws:cloudwatch/logGroup:LogGroup": LogGroup(),
    "aws:cloudwatch/metricAlarm:MetricAlarm": MetricAlarm(),
}
