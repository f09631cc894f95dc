"""Idempotency: one execution per key, its answer replayed, and no zombie's answer over a newer one."""

import asyncio

import pytest

from twofold.portable.idempotency import Claim, FingerprintMismatch, Idempotency, InProgress, derived_id


@pytest.fixture
def idempotency(documents):
    return Idempotency(documents, ttl=1000, lock=60)


async def test_the_first_execution_claims_and_its_answer_is_replayed(idempotency):
    claim = await idempotency.claim("s", "k", "f")
    assert isinstance(claim, Claim)
    assert await idempotency.complete(claim, {"status": 201})
    assert await idempotency.claim("s", "k", "f") == {"status": 201}
    assert isinstance(await idempotency.claim("other scope", "k", "f"), Claim)


async def test_another_request_under_the_key_is_refused(idempotency):
    await idempotency.claim("s", "k", "f")
    with pytest.raises(FingerprintMismatch):
        await idempotency.claim("s", "k", "g")


async def test_of_concurrent_executions_one_claims(idempotency):
    outcomes = await asyncio.gather(*(idempotency.claim("s", "k", "f") for _ in range(20)), return_exceptions=True)
    assert sum(isinstance(outcome, Claim) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, InProgress) for outcome in outcomes) == 19


async def test_a_released_key_is_free(idempotency):
    claim = await idempotency.claim("s", "k", "f")
    assert await idempotency.release(claim)
    assert isinstance(await idempotency.claim("s", "k", "other"), Claim)


async def test_a_late_success_does_not_overwrite_the_newer_answer(idempotency, clock):
    zombie = await idempotency.claim("s", "k", "f")
    clock.advance(61)
    heir = await idempotency.claim("s", "k", "f")
    assert not await idempotency.complete(zombie, {"status": 500})
    assert await idempotency.complete(heir, {"status": 201})
    assert not await idempotency.complete(zombie, {"status": 500})
    assert await idempotency.claim("s", "k", "f") == {"status": 201}


async def test_a_late_failure_does_not_delete_the_newer_answer(idempotency, clock):
    zombie = await idempotency.claim("s", "k", "f")
    clock.advance(61)
    heir = await idempotency.claim("s", "k", "f")
    assert not await idempotency.release(zombie)
    assert await idempotency.complete(heir, {"status": 201})
    assert not await idempotency.release(zombie)
    assert await idempotency.claim("s", "k", "f") == {"status": 201}


async def test_an_answer_is_forgotten_after_its_time(idempotency, clock):
    await idempotency.complete(await idempotency.claim("s", "k", "f"), {"status": 201})
    clock.advance(1001)
    assert isinstance(await idempotency.claim("s", "k", "other"), Claim)


def test_derived_ids_are_stable_and_apart():
    assert derived_id("s", "k") == derived_id("s", "k")
    assert len({derived_id("s", "k"), derived_id("s", "l"), derived_id("t", "k")}) == 3
