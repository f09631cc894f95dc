"""What keeps data: tables, secrets, queues, the event bus, log groups; and alarms."""

import json

from tests.engine.emulated.kind import Kind, NotThere, Plain, only, pairs


class Table(Kind):
    """A DynamoDB table with its stream, time to live and point-in-time recovery."""

    service = "dynamodb"

    def create(self, client, given, tags):
        """See `Kind`."""
        stream = {"StreamViewType": given["streamViewType"]} if given.get("streamEnabled") else {}
        client.create_table(
            TableName=given["name"],
            KeySchema=[
                {"AttributeName": given["hashKey"], "KeyType": "HASH"},
                {"AttributeName": given["rangeKey"], "KeyType": "RANGE"},
            ],
            AttributeDefinitions=pairs(
                {one["name"]: one["type"] for one in given["attributes"]}, "AttributeName", "AttributeType"
            ),
            BillingMode=given["billingMode"],
            StreamSpecification={"StreamEnabled": given.get("streamEnabled", False), **stream},
            SSESpecification={"Enabled": given["serverSideEncryption"]["enabled"]},
            DeletionProtectionEnabled=given["deletionProtectionEnabled"],
            Tags=pairs(tags),
        )
        client.get_waiter("table_exists").wait(TableName=given["name"], WaiterConfig={"Delay": 1})
        client.update_time_to_live(
            TableName=given["name"],
            TimeToLiveSpecification={
                "AttributeName": given["ttl"]["attributeName"],
                "Enabled": given["ttl"]["enabled"],
            },
        )
        client.update_continuous_backups(
            TableName=given["name"],
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": given["pointInTimeRecovery"]["enabled"]},
        )
        return given["name"]

    def read(self, client, id, given):
        """See `Kind`."""
        table = client.describe_table(TableName=id)["Table"]
        ttl = client.describe_time_to_live(TableName=id)["TimeToLiveDescription"]
        backups = client.describe_continuous_backups(TableName=id)["ContinuousBackupsDescription"]
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

    def delete(self, client, id, given):
        """See `Kind`."""
        client.delete_table(TableName=id)
        client.get_waiter("table_not_exists").wait(TableName=id, WaiterConfig={"Delay": 1})


QUEUE_ATTRIBUTES = {
    "messageRetentionSeconds": "MessageRetentionPeriod",
    "visibilityTimeoutSeconds": "VisibilityTimeout",
    "sqsManagedSseEnabled": "SqsManagedSseEnabled",
    "redrivePolicy": "RedrivePolicy",
}


class Queue(Kind):
    """An SQS queue. All attributes are texts there."""

    service = "sqs"

    def create(self, client, given, tags):
        """See `Kind`."""
        return client.create_queue(QueueName=given["name"], Attributes=self._texts(given), tags=tags)["QueueUrl"]

    def read(self, client, id, given):
        """See `Kind`."""
        found = client.get_queue_attributes(QueueUrl=id, AttributeNames=["All"])["Attributes"]
        values = {name: found[argument] for name, argument in QUEUE_ATTRIBUTES.items() if argument in found}
        own = {name: text if name == "redrivePolicy" else json.loads(text) for name, text in values.items()}
        return own | {"name": id.rpartition("/")[2], "arn": found["QueueArn"], "url": id}

    def update(self, client, id, old, new):
        """See `Kind`."""
        client.set_queue_attributes(QueueUrl=id, Attributes=self._texts(new))

    def delete(self, client, id, given):
        """See `Kind`."""
        client.delete_queue(QueueUrl=id)

    def _texts(self, given):
        named = {argument: given[name] for name, argument in QUEUE_ATTRIBUTES.items() if name in given}
        return {name: value if isinstance(value, str) else json.dumps(value) for name, value in named.items()}


class Secret(Kind):
    """A Secrets Manager secret without a value."""

    service = "secretsmanager"

    def create(self, client, given, tags):
        """See `Kind`."""
        return client.create_secret(Name=given["name"], Description=given["description"], Tags=pairs(tags))["ARN"]

    def read(self, client, id, given):
        """See `Kind`."""
        found = client.describe_secret(SecretId=id)
        # The recovery window is a deletion's argument; until then it is the provider's to remember.
        own = {"recoveryWindowInDays": given["recoveryWindowInDays"]}
        return own | {"name": found["Name"], "arn": found["ARN"], "description": found["Description"]}

    def delete(self, client, id, given):
        """See `Kind`."""
        days = given["recoveryWindowInDays"]  # without any the provider asks for another thing
        client.delete_secret(
            SecretId=id, **({"RecoveryWindowInDays": days} if days else {"ForceDeleteWithoutRecovery": True})
        )


class LogGroup(Kind):
    """A log group with its retention."""

    service = "logs"

    def create(self, client, given, tags):
        """See `Kind`."""
        client.create_log_group(logGroupName=given["name"], tags=tags)
        self.update(client, given["name"], {}, given)
        return given["name"]

    def read(self, client, id, given):
        """See `Kind`."""
        groups = client.describe_log_groups(logGroupNamePrefix=id)["logGroups"]
        found = only([group for group in groups if group["logGroupName"] == id])
        # The service ends it with `:*`, the provider does not.
        return {"name": id, "arn": found["arn"].removesuffix(":*"), "retentionInDays": found.get("retentionInDays")}

    def update(self, client, id, old, new):
        """See `Kind`."""
        client.put_retention_policy(logGroupName=id, retentionInDays=new["retentionInDays"])

    def delete(self, client, id, given):
        """See `Kind`."""
        client.delete_log_group(logGroupName=id)


class MetricAlarm(Plain):
    """A CloudWatch alarm on one metric."""

    def __init__(self):
        super().__init__(
            "cloudwatch", "metric_alarm", "AlarmName", renamed={"name": "AlarmName", "okActions": "OKActions"}
        )

    def create(self, client, given, tags):
        """See `Kind`."""
        client.put_metric_alarm(**self._put(given), Tags=pairs(tags))
        return given["name"]

    def read(self, client, id, given):
        """See `Kind`."""
        found = only(client.describe_alarms(AlarmNames=[id])["MetricAlarms"])
        dimensions = {one["Name"]: one["Value"] for one in found["Dimensions"]}
        return self.properties(found) | {"dimensions": dimensions, "arn": found["AlarmArn"]}

    def update(self, client, id, old, new):
        """See `Kind`."""
        client.put_metric_alarm(**self._put(new))

    def delete(self, client, id, given):
        """See `Kind`."""
        client.delete_alarms(AlarmNames=[id])

    def _put(self, given):
        return self.arguments(given) | {"Dimensions": pairs(given["dimensions"], "Name")}


class Dashboard(Kind):
    """A CloudWatch dashboard."""

    service = "cloudwatch"

    def create(self, client, given, tags):
        """See `Kind`."""
        client.put_dashboard(DashboardName=given["dashboardName"], DashboardBody=given["dashboardBody"])
        return given["dashboardName"]

    def read(self, client, id, given):
        """See `Kind`."""
        found = client.get_dashboard(DashboardName=id)
        return {"dashboardName": found["DashboardName"], "dashboardBody": found["DashboardBody"]}

    def update(self, client, id, old, new):
        """See `Kind`."""
        self.create(client, new, {})

    def delete(self, client, id, given):
        """See `Kind`."""
        client.delete_dashboards(DashboardNames=[id])


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
