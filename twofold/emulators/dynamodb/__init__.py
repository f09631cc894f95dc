"""DynamoDB's wire before a backend that is more lenient: it refuses what AWS refuses, and eventual reads are really stale.

The backend (ministack, or moto's server) stores, evaluates and streams; what it would let pass is checked before. What AWS answers,
and what each backend answers alone, is the ledger in `tests/emulators/dynamodb/`.
Known divergences from the service: one region; no throttles, no TransactionConflict, no access rules; no PartiQL; the old
parameters (`Expected`, `KeyConditions`, …) are checked by the backend alone, as are indexes of several key attributes.
"""

from twofold.emulators.dynamodb.server import DynamoDB

__all__ = ["DynamoDB"]
