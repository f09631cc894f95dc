"""What an operation creates has an id that follows from its key; the rest is `tests/conformance`."""

from twofold.portable.idempotency import derived_id


def test_derived_ids_are_stable_and_apart():
    assert derived_id("s", "k") == derived_id("s", "k")
    assert len({derived_id("s", "k"), derived_id("s", "l"), derived_id("t", "k")}) == 3
