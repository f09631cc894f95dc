"""Idempotency: an operation runs once per key; a repetition gets the first one's answer. Fenced.

The record lives in `documents`, partition `idempotency:<scope>`, id the key's SHA-256, format 1. It is claimed under
ABSENT with a random owner token and completed or released only under the version that the claim returned: an execution
whose lock ran out and whose record was taken over can neither overwrite nor delete the newer answer.
"""

import hashlib
import secrets
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from twofold.errors import Conflict, TwofoldError
from twofold.portable.document_store import ABSENT, DocumentStore, at_version

RECORDS = "documents"
FORMAT = 1
MAX_ANSWER_BYTES = 256 * 1024
_NAMESPACE = uuid.UUID("6f1c1d52-6d39-5b0e-9e39-7a1f0c2f4b11")


class FingerprintMismatch(TwofoldError):
    """The key was used before with another request."""


class InProgress(TwofoldError):
    """The first execution with this key has not ended yet."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to execute: complete or release it with this token."""

    scope: str
    id: str
    fingerprint: str
    version: str


class Idempotency:
    """Claims by `(scope, key)`: the scope holds subject and route, so that keys of two callers never meet.

    An answer is kept for `ttl` seconds (a day). An execution holds its lock for `lock` seconds (60); when it dies, the
    next one with the same key takes over after that.
    """

    def __init__(self, documents: DocumentStore, *, ttl: int = 86_400, lock: int = 60) -> None:
        self._documents = documents
        self._ttl = ttl
        self._lock = lock

    async def once(
        self, scope: str, key: str, fingerprint: str, work: Callable[[], Awaitable[object]], *, lock: int
    ) -> None:
        """Runs `work`, which ends within `lock` seconds, unless it succeeded before under this key. Its failure gives the key free.

        Raises what `claim` and `work` raise.
        """
        claim = await self.claim(scope, key, fingerprint, lock=lock)
        if not isinstance(claim, Claim):
            return
        try:
            await work()
        except BaseException:
            await self.release(claim)
            raise
        await self.complete(claim, {})

    async def claim(self, scope: str, key: str, fingerprint: str, *, lock: int | None = None) -> Claim | dict[str, Any]:
        """A Claim to execute, or the stored answer of the first execution.

        Raises `FingerprintMismatch` when the key stands for another request, `InProgress` while the first one runs.
        """
        partition, record_id = f"idempotency:{_digest(scope)}", _digest(key)
        now = self._documents.now()
        body = {"format": FORMAT, "state": "locked", "fingerprint": fingerprint, "owner": secrets.token_hex(16)}
        for _ in range(3):
            try:
                version = await self._documents.put(
                    RECORDS, partition, record_id, body, condition=ABSENT, expires_at=now + (lock or self._lock)
                )
                return Claim(partition, record_id, fingerprint, version)
            except Conflict:
                record = await self._documents.get(RECORDS, partition, record_id)
            if record is None:
                continue  # it ended between the two calls
            if record.body["fingerprint"] != fingerprint:
                raise FingerprintMismatch("this key was used before, with something else")
            if record.body["state"] == "done":
                answer: dict[str, Any] = record.body["answer"]
                return answer
            raise InProgress("the first execution under this key is still in progress")
        raise InProgress("executions under this key come and go too fast")

    async def complete(self, claim: Claim, answer: dict[str, Any]) -> bool:
        """Stores the answer; False when the claim was lost to a later execution, whose answer then stands."""
        body = {"format": FORMAT, "state": "done", "fingerprint": claim.fingerprint, "answer": answer}
        try:
            await self._documents.put(
                RECORDS, claim.scope, claim.id, body,
                condition=at_version(claim.version), expires_at=self._documents.now() + self._ttl,
            )  # fmt: skip
            return True
        except Conflict:
            return False

    async def release(self, claim: Claim) -> bool:
        """Gives the key free, after an execution that has no answer to keep; False when the claim was lost before."""
        try:
            await self._documents.delete(RECORDS, claim.scope, claim.id, condition=at_version(claim.version))
            return True
        except Conflict:
            return False


def derived_id(scope: str, key: str) -> str:
    """The id that an operation under this key creates: the same at every execution (UUIDv5), so a crash acts once."""
    return str(uuid.uuid5(_NAMESPACE, f"{scope}\n{key}"))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
