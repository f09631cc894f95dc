"""The ledger: each rule of AWS (`rows`), and what a backend answers alone where that is something else (`alone.yaml`).

`python -m tests.emulators.dynamodb.ledger` rewrites `alone.yaml` from the installed backends.
"""

import http.client
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import yaml

from tests.emulators.dynamodb import batches, expressions, items, reads
from tests.emulators.dynamodb.row import TABLE, Row
from tests.emulators.fixtures import DUMMY, REGION, moto_serving
from twofold.emulators import ministack
from twofold.emulators.process import free_port, serving

ROWS = [
    *items.KEYS, *items.VALUES, *items.SIZES, *expressions.CONDITIONAL, *expressions.UPDATING,
    *reads.QUERIES, *reads.STARTS, *reads.SCANS, *batches.BATCHES, *batches.TRANSACTIONS,
]  # fmt: skip
ALONE = Path(__file__).with_name("alone.yaml")
LEFT = {"moto": {"an item has 400 KB": "moto takes 405,000 bytes"}}
"""What differs behind the layer, too, and why."""
AS_AWS = "as AWS"
_ENVELOPE = "1 validation error detected: "
"""Regions differ in whether they say that first."""


def create(endpoint: str, table: str) -> None:
    """The table that the rows are about."""

    def keys(partition: str, sort: str) -> list[dict[str, str]]:
        return [{"AttributeName": partition, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]

    everything = {"ProjectionType": "ALL"}
    client = boto3.client("dynamodb", region_name=REGION, endpoint_url=endpoint, **DUMMY)
    client.create_table(
        TableName=table, KeySchema=keys("p", "i"), BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": kind} for name, kind in zip("pihr", "SSSN", strict=True)],
        GlobalSecondaryIndexes=[{"IndexName": "global", "KeySchema": keys("h", "r"), "Projection": everything}],
        LocalSecondaryIndexes=[{"IndexName": "local", "KeySchema": keys("p", "r"), "Projection": everything}],
    )  # fmt: skip
    client.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 1})


def answers(endpoint: str, table: str) -> dict[str, str]:
    """What each row's request gets there, where that is not what AWS answers; by its rule."""
    create(endpoint, table)
    texts = {row.rule: answer(endpoint, table, row) for row in ROWS}
    return {rule: text for rule, text in texts.items() if text != AS_AWS}


def answer(endpoint: str, table: str, row: Row) -> str:
    """`AS_AWS`, or in short what it is."""
    for operation, arguments in row.before:
        request(endpoint, table, operation, arguments)
    status, body = request(endpoint, table, row.operation, row.arguments)
    code = body.get("__type", "").rpartition("#")[2]
    message = body.get("message", body.get("Message", "")).removeprefix(_ENVELOPE)
    if status != 200:
        same = (status, code) == (400, row.code) and message.startswith(row.message.removeprefix(_ENVELOPE))
    else:
        same = not row.code
    if same and _has(body, json.loads(_named(row.answer, table))):
        return AS_AWS
    return f"{status} {code}: {message}".replace(table, TABLE)[:200] if code else f"{status}"


def request(endpoint: str, table: str, operation: str, arguments: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Status and body of an answer, past the checks of an SDK."""
    connection = http.client.HTTPConnection(urlsplit(endpoint).netloc, timeout=60)
    scope = f"Credential=local/20260101/{REGION}/dynamodb/aws4_request, SignedHeaders=host, Signature=none"
    connection.request("POST", "/", _named(arguments, table), {
        "X-Amz-Target": f"DynamoDB_20120810.{operation}", "Content-Type": "application/x-amz-json-1.0",
        "Authorization": f"AWS4-HMAC-SHA256 {scope}",
    })  # fmt: skip
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, json.loads(content) if content.startswith(b"{") else {}


def _named(value: object, table: str) -> str:
    return json.dumps(value).replace(TABLE, table)


def _has(body: object, wanted: object) -> bool:
    if isinstance(wanted, dict) and wanted and isinstance(body, dict):
        return all(name in body and _has(body[name], value) for name, value in wanted.items())
    if isinstance(wanted, list) and isinstance(body, list):
        return len(wanted) == len(body) and all(map(_has, body, wanted))
    return wanted == body or wanted == {}


def main() -> None:
    """Rewrites `alone.yaml`."""
    port = free_port()
    with serving(ministack.command(), port, ministack.environ(port)) as one, moto_serving() as other:
        alone = {"ministack": answers(one, "ledger"), "moto": answers(other, "ledger")}
    head = "# Written by `python -m tests.emulators.dynamodb.ledger`: what each answers alone, where AWS answers as its row says.\n"
    ALONE.write_text(head + yaml.safe_dump(alone, width=200, sort_keys=False, allow_unicode=True))


if __name__ == "__main__":
    main()
