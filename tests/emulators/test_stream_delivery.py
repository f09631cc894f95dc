"""What fails of a stream's batch comes again, as Lambda's event source mapping has it: real records, a function that fails.

https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
"""

import uuid
from functools import partial

import boto3
import pytest

from tests.emulators.fixtures import DUMMY, REGION, create_tables
from twofold.emulators.dev_environment import DeliveryFailed
from twofold.emulators.dynamodb_stream import DynamoDBStream, StreamDelivery
from twofold.emulators.lambda_host import FunctionError


class Function:
    """Keeps the batches that it gets, as the ids in them; `answers` are its next ones, then all is done."""

    def __init__(self):
        self.batches, self.answers = [], []

    def __call__(self, event):
        records = event["Records"]
        self.batches.append([record["dynamodb"]["Keys"]["i"]["S"] for record in records])
        answer = self.answers.pop(0) if self.answers else (lambda records: {"batchItemFailures": []})
        return answer(records)


def failing(*places):
    return lambda records: {
        "batchItemFailures": [{"itemIdentifier": records[place]["dynamodb"]["SequenceNumber"]} for place in places]
    }


def crash(records):
    raise FunctionError("out of memory")


@pytest.fixture
def function():
    return Function()


@pytest.fixture
def delivery(dynamodb, function):
    """Of six records, `0` to `5`."""
    prefix = f"stream-{uuid.uuid4().hex[:8]}"
    create_tables(dynamodb, prefix)
    client = boto3.client("dynamodb", region_name=REGION, endpoint_url=dynamodb, **DUMMY)
    for number in range(6):
        client.put_item(TableName=f"{prefix}-events", Item={"p": {"S": str(number % 2)}, "i": {"S": str(number)}})
    client.close()
    return StreamDelivery(partial(DynamoDBStream, dynamodb, f"{prefix}-events"), function)


def until_done(delivery):
    while True:
        try:
            if not delivery():
                return
        except DeliveryFailed:
            pass


def test_a_batch_that_is_done_comes_once(delivery, function):
    assert delivery() == 6 and delivery() == 0
    assert function.batches == [list("012345")]


def test_it_comes_again_from_the_lowest_failed_record(delivery, function):
    function.answers = [failing(4, 2)]
    with pytest.raises(DeliveryFailed, match="4 records"):
        delivery()
    until_done(delivery)
    assert function.batches == [list("012345"), list("2345")]


def test_what_fails_again_and_again_is_not_given_up_and_nothing_overtakes_it(delivery, function):
    function.answers = [failing(1), *[failing(0)] * 5]
    until_done(delivery)
    assert function.batches == [list("012345"), *[list("12345")] * 6]


@pytest.mark.parametrize("answer", [None, {}, {"batchItemFailures": None}, {"batchItemFailures": []}])
def test_an_empty_answer_is_success(delivery, function, answer):
    function.answers = [lambda records: answer]
    until_done(delivery)
    assert function.batches == [list("012345")]


@pytest.mark.parametrize(
    "one", [{"itemIdentifier": ""}, {"itemIdentifier": None}, {"id": "1"}, {"itemIdentifier": "none of them"}]
)
def test_a_failure_that_names_no_record_is_one_of_the_whole_batch(delivery, function, one):
    function.answers = [lambda records: {"batchItemFailures": [one]}]
    until_done(delivery)
    assert function.batches == [list("012345"), list("012345")]


def test_a_batch_that_ends_the_function_is_halved_until_it_fits(delivery, function):
    function.answers = [crash, crash, crash]
    until_done(delivery)
    assert function.batches == [list("012345"), list("012"), list("01"), list("0"), list("1"), list("2"), list("345")]


def test_both_kinds_of_failure_keep_the_order(delivery, function):
    function.answers = [crash, failing(1), failing(0)]
    until_done(delivery)
    assert function.batches == [list("012345"), list("012"), list("12"), list("12"), list("345")]


def test_what_was_written_meanwhile_comes_after(dynamodb, delivery, function):
    function.answers = [failing(5)]
    with pytest.raises(DeliveryFailed):
        delivery()
    assert delivery() == 1 and delivery() == 0
