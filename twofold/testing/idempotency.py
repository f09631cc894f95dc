"""The promises of Idempotency as tests, over any DocumentDriver: once per key, and no zombie's answer over a newer one."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from twofold.portable.document_store import DocumentDriver, DocumentStore
from twofold.portable.idempotency import Claim, FingerprintMismatch, Idempotency, InProgress
from twofold.testing.clock import Clock


async def claimed(idempotency: Idempotency, scope: str) -> Claim:
    """The claim of an execution that may go on."""
    claim = await idempotency.claim(scope, "k", "f")
    assert isinstance(claim, Claim)
    return claim


class IdempotencyConformance:
    """Subclass it and define `open_driver`."""

    async def open_driver(self) -> DocumentDriver:
        """A driver on an empty or shared backend that has the collection `documents`."""
        raise TypeError("define open_driver in the subclass")

    @pytest.fixture
    def clock(self) -> Clock:
        return Clock(int(time.time()))

    @pytest_asyncio.fixture
    async def idempotency(self, clock: Clock) -> AsyncIterator[Idempotency]:
        store = DocumentStore(await self.open_driver(), clock=clock)
        yield Idempotency(store, ttl=1000, lock=60)
        await store.close()

    @pytest.fixture
    def s(self) -> str:
        return f"scope-{uuid.uuid4().hex}"

    async def test_replay(self, idempotency: Idempotency, s: str) -> None:
        """The first execution claims the key; then its answer is given, under that scope alone."""
        claim = await idempotency.claim(s, "k", "f")
        assert isinstance(claim, Claim)
        assert await idempotency.complete(claim, {"status": 201})
        assert await idempotency.claim(s, "k", "f") == {"status": 201}
        assert isinstance(await idempotency.claim(f"other {s}", "k", "f"), Claim)

    async def test_other_fingerprint(self, idempotency: Idempotency, s: str) -> None:
        """Another request under the same key is a FingerprintMismatch."""
        await idempotency.claim(s, "k", "f")
        with pytest.raises(FingerprintMismatch):
            await idempotency.claim(s, "k", "g")

    async def test_concurrent_claims(self, idempotency: Idempotency, s: str) -> None:
        """Of concurrent executions one claims the key, the others are InProgress."""
        outcomes = await asyncio.gather(*(idempotency.claim(s, "k", "f") for _ in range(20)), return_exceptions=True)
        assert sum(isinstance(outcome, Claim) for outcome in outcomes) == 1
        assert sum(isinstance(outcome, InProgress) for outcome in outcomes) == 19

    async def test_release(self, idempotency: Idempotency, s: str) -> None:
        """A released key is free, for another request too."""
        claim = await idempotency.claim(s, "k", "f")
        assert isinstance(claim, Claim) and await idempotency.release(claim)
        assert isinstance(await idempotency.claim(s, "k", "other"), Claim)

    async def test_late_success(self, idempotency: Idempotency, clock: Clock, s: str) -> None:
        """An execution whose lock ran out does not overwrite its heir's answer."""
        zombie = await claimed(idempotency, s)
        clock.advance(61)
        heir = await claimed(idempotency, s)
        assert not await idempotency.complete(zombie, {"status": 500})
        assert await idempotency.complete(heir, {"status": 201})
        assert not await idempotency.complete(zombie, {"status": 500})
        assert await idempotency.claim(s, "k", "f") == {"status": 201}

    async def test_late_failure(self, idempotency: Idempotency, clock: Clock, s: str) -> None:
        """An execution whose lock ran out does not release its heir's claim."""
        zombie = await claimed(idempotency, s)
        clock.advance(61)
        heir = await claimed(idempotency, s)
        assert not await idempotency.release(zombie)
        assert await idempotency.complete(heir, {"status": 201})
        assert not await idempotency.release(zombie)
        assert await idempotency.claim(s, "k", "f") == {"status": 201}

    async def test_once(self, idempotency: Idempotency, clock: Clock, s: str) -> None:
        """The work runs until it succeeds, and then no more."""
        ran: list[int] = []

        async def work() -> None:
            ran.append(len(ran))
            if len(ran) == 1:
                raise ValueError("at first")
            with pytest.raises(InProgress):
                await idempotency.once(s, "k", "f", work, lock=10)

        with pytest.raises(ValueError, match="at first"):
            await idempotency.once(s, "k", "f", work, lock=10)
        for _ in range(2):
            await idempotency.once(s, "k", "f", work, lock=10)
        assert ran == [0, 1]
        with pytest.raises(FingerprintMismatch):
            await idempotency.once(s, "k", "g", work, lock=10)

    async def test_once_after_a_crash(self, idempotency: Idempotency, clock: Clock, s: str) -> None:
        """The work runs again when who began it did not end within its lock."""
        ran: list[int] = []

        async def work() -> None:
            ran.append(1)

        await idempotency.claim(s, "k", "f", lock=10)
        clock.advance(11)
        await idempotency.once(s, "k", "f", work, lock=10)
        assert ran == [1]

    async def test_answers_expire(self, idempotency: Idempotency, clock: Clock, s: str) -> None:
        """An answer is forgotten after its time to live, and the key is free."""
        await idempotency.complete(await claimed(idempotency, s), {"status": 201})
        clock.advance(1001)
        assert isinstance(await idempotency.claim(s, "k", "other"), Claim)
