"""A number is its value, however it is written: as a key, in a set, in eventual reads.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
"""

import uuid

import boto3
import pytest

from tests.emulators.fixtures import DUMMY, REGION

SPELLINGS = ["10.5", "10.50", "1.05e1", "+010.500", "105E-1"]


@pytest.fixture(params=["dynamodb", "dynamodb_moto"])
def table(request):
    """With a number as its key."""
    database = boto3.client(
        "dynamodb", region_name=REGION, endpoint_url=request.getfixturevalue(request.param), **DUMMY
    )
    name = f"numbers-{uuid.uuid4().hex[:8]}"
    database.create_table(
        TableName=name, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "n", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "n", "AttributeType": "N"}],
    )  # fmt: skip
    yield database, name
    database.close()


def test_each_spelling_is_the_same_key(table):
    database, name = table
    for count, text in enumerate(SPELLINGS, start=1):
        database.update_item(
            TableName=name, Key={"n": {"N": text}}, UpdateExpression="ADD c :one", ExpressionAttributeValues={":one": {"N": "1.0"}}
        )  # fmt: skip
        for other in SPELLINGS:
            item = database.get_item(TableName=name, Key={"n": {"N": other}}, ConsistentRead=True)["Item"]
            assert item == {"n": {"N": "10.5"}, "c": {"N": str(count)}}
    database.scan(TableName=name)
    assert database.scan(TableName=name)["Items"] == [{"n": {"N": "10.5"}, "c": {"N": str(len(SPELLINGS))}}]
    database.delete_item(TableName=name, Key={"n": {"N": "105e-1"}})
    assert database.scan(TableName=name, ConsistentRead=True)["Items"] == []


def test_a_transaction_names_an_item_once(table):
    database, name = table
    writes = [{"Put": {"TableName": name, "Item": {"n": {"N": text}}}} for text in ("1", "1.0")]
    with pytest.raises(database.exceptions.ClientError, match="multiple operations on one item"):
        database.transact_write_items(TransactItems=writes)


def test_a_sets_members_are_values(table):
    database, name = table
    database.put_item(TableName=name, Item={"n": {"N": "1"}, "s": {"NS": ["1", "2.0", "1e2"]}})
    answer = database.update_item(
        TableName=name, Key={"n": {"N": "1"}}, UpdateExpression="DELETE s :s",
        ExpressionAttributeValues={":s": {"NS": ["2.00", "100"]}}, ReturnValues="ALL_NEW",
    )  # fmt: skip
    assert answer["Attributes"]["s"] == {"NS": ["1"]}
