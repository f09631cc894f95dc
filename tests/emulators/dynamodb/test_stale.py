"""Eventual reads are older than the last write, every time: a driver that forgets `ConsistentRead` is found out at once."""

import contextlib
import uuid

import boto3
import pytest

from tests.emulators.dynamodb.ledger import create
from tests.emulators.fixtures import DUMMY, REGION, create_tables
from twofold.aws import document_store
from twofold.aws.client import Client
from twofold.emulators import ministack
from twofold.emulators.dynamodb import DynamoDB
from twofold.emulators.process import Server, free_port
from twofold.portable.document_store import DocumentStore, Put

KEY = {"p": {"S": "a"}, "i": {"S": "1"}}
ITEM = KEY | {"h": {"S": "h"}, "r": {"N": "1"}, "n": {"N": "1"}}


@pytest.fixture(scope="module", params=["dynamodb", "dynamodb_moto"])
def endpoint(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def client(endpoint):
    client = boto3.client("dynamodb", region_name=REGION, endpoint_url=endpoint, **DUMMY)
    yield client
    client.close()


@pytest.fixture
def table(endpoint):
    name = f"stale-{uuid.uuid4().hex[:8]}"
    create(endpoint, name)
    return name


def get(client, table, **more):
    return [answer["Item"]] if "Item" in (answer := client.get_item(TableName=table, Key=KEY, **more)) else []


def query(client, table, **more):
    values = {":p": {"S": "a"}}
    return client.query(
        TableName=table, KeyConditionExpression="p = :p", ExpressionAttributeValues=values, **more
    )["Items"]  # fmt: skip


def scan(client, table, **more):
    return client.scan(TableName=table, **more)["Items"]


def batch(client, table, **more):
    return client.batch_get_item(RequestItems={table: {"Keys": [KEY], **more}})["Responses"][table]


@pytest.mark.parametrize("read", [get, query, scan, batch])
def test_a_read_sees_the_state_before_unless_it_is_consistent(client, table, read):
    client.put_item(TableName=table, Item=ITEM)
    assert read(client, table, ConsistentRead=True) == [ITEM]
    assert [read(client, table) for _ in range(2)] == [[], [ITEM]]
    changed = ITEM | {"n": {"N": "2"}}
    client.put_item(TableName=table, Item=changed)
    assert read(client, table, ConsistentRead=True) == [changed]
    assert [read(client, table) for _ in range(2)] == [[ITEM], [changed]]


def test_a_backend_that_was_started_again_is_read_from_its_new_tables():
    """`twofold dev` starts an emulator that has died, on its port, and makes its tables again."""
    port, name = free_port(), f"stale-{uuid.uuid4().hex[:8]}"
    with (
        contextlib.closing(Server(ministack.command(), port, ministack.environ(port))) as server,
        DynamoDB(server.url, region=REGION) as layer,
    ):
        client = boto3.client("dynamodb", region_name=REGION, endpoint_url=layer.url, **DUMMY)
        for _ in range(2):
            create(layer.url, name)
            client.put_item(TableName=name, Item=ITEM)
            assert [get(client, name) for _ in range(2)] == [[], [ITEM]]
            server.close()
            server.start()
        client.close()


def test_an_index_is_always_behind(client, table):
    def read():
        values = {":h": {"S": "h"}}
        return client.query(
            TableName=table, IndexName="global", KeyConditionExpression="h = :h", ExpressionAttributeValues=values
        )["Items"]  # fmt: skip

    client.put_item(TableName=table, Item=ITEM)
    assert [read(), read()] == [[], [ITEM]]


def test_every_kind_of_write_is_seen_late(client, table):
    put = {"TableName": table, "Item": ITEM}
    client.transact_write_items(TransactItems=[{"Put": put}])
    assert [get(client, table), get(client, table)] == [[], [ITEM]]
    client.update_item(
        TableName=table, Key=KEY, UpdateExpression="SET n = n + :n", ExpressionAttributeValues={":n": {"N": "1"}}
    )
    changed = ITEM | {"n": {"N": "2"}}
    assert [get(client, table), get(client, table)] == [[ITEM], [changed]]
    client.batch_write_item(RequestItems={table: [{"PutRequest": {"Item": ITEM}}]})
    assert [get(client, table), get(client, table)] == [[changed], [ITEM]]
    client.delete_item(TableName=table, Key=KEY)
    assert [get(client, table), get(client, table)] == [[ITEM], []]


def test_a_write_that_is_refused_changes_nothing(client, table):
    with pytest.raises(client.exceptions.ConditionalCheckFailedException):
        client.put_item(TableName=table, Item=ITEM, ConditionExpression="attribute_exists(p)")
    assert [get(client, table), get(client, table)] == [[], []]


class Forgetful(Client):
    """Never asks for a consistent read."""

    def _call(self, operation, **arguments):
        arguments.pop("ConsistentRead", None)
        return super()._call(operation, **arguments)


async def test_a_driver_that_forgets_consistent_reads_is_found_out(endpoint):
    prefix = f"stale-{uuid.uuid4().hex[:8]}"
    create_tables(endpoint, prefix)
    forgetful = document_store.DynamoDBDriver(Forgetful("dynamodb", REGION, endpoint), prefix)
    store = DocumentStore(forgetful)
    for number, read in enumerate(
        [
            lambda p: store.get("documents", p, "a"),
            lambda p: store.query("documents", p),
            lambda p: anext(store.scan("documents", prefix=p), None),
        ]
    ):
        partition = f"{prefix}-{number}"
        await store.commit("documents", partition, [Put("a", {}), Put("b", {})])
        page = await read(partition)
        assert page is None or page.documents == ()
    await store.close()


def test_a_token_holds_for_ten_minutes(ministack):
    now = [1000.0]
    with DynamoDB(ministack, region=REGION, stale=False, clock=lambda: now[0]) as server:
        table = f"token-{uuid.uuid4().hex[:8]}"
        create(server.url, table)
        client = boto3.client("dynamodb", region_name=REGION, endpoint_url=server.url, **DUMMY)

        def transact(number):
            put = {"TableName": table, "Item": KEY | {"n": {"N": str(number)}}}
            client.transact_write_items(TransactItems=[{"Put": put}], ClientRequestToken=table)

        transact(1)
        client.delete_item(TableName=table, Key=KEY)
        now[0] += 599
        transact(1)
        assert get(client, table) == [], "it is not done again"
        with pytest.raises(client.exceptions.IdempotentParameterMismatchException):
            transact(2)
        now[0] += 1
        transact(2)
        assert [item["n"] for item in get(client, table)] == [{"N": "2"}]
        client.close()
