"""What the units' roles may have at most: the permissions boundary, under which alone the deployer makes roles.

A role may do what its own policy and its boundary both allow. So the boundary has what any unit of any stack of the kit has, on
the names of this stack; permissions of your own in `stacks/aws.py` take a line of your own in it.
"""

from collections.abc import Sequence

from twofold.deploy.aws.grants import Grant

_KEY = ("dynamodb", "secretsmanager", "sqs")
"""What keeps a unit's data under `twofold:encryptionKey`."""
BOUNDARY: Sequence[Grant] = (
    Grant("dynamodb", "GetItem PutItem DeleteItem Query ConditionCheckItem GetRecords GetShardIterator DescribeStream",
          "dynamodb:{r}:{a}:table/{p}-*"),
    Grant("dynamodb", "ListStreams", "*"),
    Grant("ec2", "CreateNetworkInterface DeleteNetworkInterface DescribeNetworkInterfaces DescribeSubnets "
          "AssignPrivateIpAddresses UnassignPrivateIpAddresses", "*"),  # Lambda's, with the role; denied to the unit's own code
    Grant("elasticache", "Connect", "elasticache:{r}:{a}:serverlesscache:{p} elasticache:{r}:{a}:user:{u}*"),
    Grant("events", "PutEvents", "events:{r}:{a}:event-bus/{p}"),
    Grant("events", "InvokeApiDestination", "events:{r}:{a}:api-destination/{p}-*"),
    Grant("lambda", "InvokeFunction", "lambda:{r}:{a}:function:{p}-*"),
    Grant("logs", "CreateLogStream PutLogEvents", "logs:{r}:{a}:log-group:/aws/lambda/{p}-*"),
    Grant("secretsmanager", "GetSecretValue", "secretsmanager:{r}:{a}:secret:{p}/*"),
    Grant("sqs", "GetQueueUrl GetQueueAttributes SendMessage ReceiveMessage DeleteMessage ChangeMessageVisibility",
          "sqs:{r}:{a}:{p}-*"),
    Grant("xray", "PutSpans PutSpansForIndexing PutTraceSegments", "*"),
)  # fmt: skip


def keyed(key: str) -> Grant:
    """What the units do with the customer's key: through the services that keep their data."""
    hosts = [f"{service}.{{r}}.amazonaws.com" for service in _KEY]
    return Grant("kms", "Decrypt GenerateDataKey", key, {"StringEquals": {"kms:ViaService": hosts}})
