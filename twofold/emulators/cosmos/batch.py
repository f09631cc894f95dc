"""Transactional batches: all operations of one partition, or none."""

from twofold.emulators.cosmos.container import Container, Item, bad, refuse
from twofold.emulators.server import Answer

MAX_OPERATIONS = 100
MAX_BYTES = 2 * 1024 * 1024


def run(container: Container, partition: str, operations: object, size: int) -> Answer:
    """The answer to a batch: 200 with each result, or 207 with the failing one's own status and 424 for the others."""
    if not isinstance(operations, list) or not 1 <= len(operations) <= MAX_OPERATIONS:
        raise bad(f"A batch has 1 to {MAX_OPERATIONS} operations.")
    if size > MAX_BYTES:
        raise refuse(413, "RequestEntityTooLarge", "Request size is too large.")
    before = dict(container.items), dict(container.lsn)
    results: list[dict[str, object]] = []
    for index, operation in enumerate(operations):
        try:
            status, item = _apply(container, partition, operation)
        except Answer as failed:
            container.items, container.lsn = before
            if failed.status == 400:
                raise
            answers = [{"statusCode": 424, "requestCharge": 0}] * len(operations)
            answers[index] = {"statusCode": failed.status, "requestCharge": 1}
            return Answer(207, answers)
        result: dict[str, object] = {"statusCode": status, "requestCharge": 1}
        if item is not None:
            result |= {"eTag": item["_etag"], "resourceBody": item}
        results.append(result)
    return Answer(200, results)


def _apply(container: Container, partition: str, operation: object) -> tuple[int, Item | None]:
    known = {"operationType", "resourceBody", "id", "ifMatch", "ifNoneMatch", "partitionKey"}
    if not isinstance(operation, dict) or set(operation) - known:
        raise bad(f"A batch operation holds {sorted(known)} alone.")
    item_id, body, match = operation.get("id", ""), operation.get("resourceBody"), operation.get("ifMatch")
    match operation.get("operationType"):
        case "Create":
            return container.create(partition, body)
        case "Upsert":
            return container.upsert(partition, body, match)
        case "Replace":
            return container.replace(partition, item_id, body, match)
        case "Delete":
            return container.delete(partition, item_id, match)
        case "Patch":
            return container.patch(partition, item_id, body, match)
        case "Read":
            return 200, container.read(partition, item_id)
        case other:
            raise bad(f"The batch operation {other!r} is not understood.")
