"""Lease: one holder at a time; a dead one blocks no longer than its time; a late one frees nobody else's."""

import asyncio

import pytest

from twofold.portable.lease import lease


async def test_of_many_at_once_one_holds_it(documents):
    held = []

    async def contend():
        async with lease(documents, "job", 60) as mine:
            held.append(mine)
            await asyncio.sleep(0.05)

    await asyncio.gather(*(contend() for _ in range(20)))
    assert sorted(held) == [False] * 19 + [True]


async def test_it_is_free_again_after_the_work_and_after_a_failure(documents):
    for _ in range(2):
        with pytest.raises(RuntimeError):
            async with lease(documents, "job", 60) as mine:
                assert mine
                raise RuntimeError
    async with lease(documents, "other", 60) as other, lease(documents, "job", 60) as mine:
        assert other and mine


async def test_a_dead_holder_blocks_until_its_time_and_a_late_one_frees_nothing(documents, clock):
    async with lease(documents, "job", 60) as first:
        clock.advance(59)
        async with lease(documents, "job", 60) as second:
            assert first and not second
        clock.advance(1)
        newer = lease(documents, "job", 60)
        assert await newer.__aenter__()
    async with lease(documents, "job", 60) as third:
        assert not third  # the first one's end did not free the newer holder's
    await newer.__aexit__(None, None, None)
