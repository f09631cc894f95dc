"""A resource can't be made at first: the next update goes on, makes nothing twice and leaves nothing."""

from collections import Counter
from zlib import crc32

import pytest
from pulumi import automation

from tests.stacks.stack import started

ROUNDS = 40


@pytest.mark.parametrize("every", [8, pytest.param(1, marks=pytest.mark.deep)])
@pytest.mark.parametrize("cloud", ["azure", "aws"])
def test_an_update_that_fails_at_each_resource_ends_whole(tmp_path, cloud, every):
    """At one of `every` so many, always the same ones."""
    engine, tries = started(tmp_path, cloud), Counter()

    def fails(urn):
        return crc32(urn.encode()) % every == 0

    def fault(urn):
        tries[urn] += 1
        return "InternalError: not this time" if fails(urn) and tries[urn] == 1 else None

    engine.standin.fault = fault
    for _ in range(ROUNDS):
        try:
            done = engine.up(continue_on_error=True)
            break
        except automation.CommandError as exc:
            assert "not this time" in str(exc)
    assert tries == {urn: 1 + fails(urn) for urn in engine.resources()} and 2 in tries.values()
    assert set(engine.standin.made.values()) == {1}
    assert set(engine.up()) == {"same"}
    engine.destroy()
    assert engine.resources() == {} and done
    engine.close()
