"""When a schedule asks for its replica: in KEDA's own words, read by a reader of crontabs."""

import pytest

from twofold.deploy.azure.containers import CRON_MINUTES, window


def minutes(expression):
    """The minutes of the hour that a crontab's first field names; the others must be any."""
    field, *others = expression.split()
    assert others == ["*"] * 4
    span, _, step = field.partition("/")
    first, _, last = ("0", "", "59") if span == "*" else span.partition("-")
    return list(range(int(first), int(last or (59 if step else first)) + 1, int(step or 1)))


@pytest.mark.parametrize("every", [10, 12, 15, 20, 30, 60])
def test_a_window_opens_when_a_run_is_due_and_closes_before_the_next(every):
    asked = window(every)
    starts, ends = minutes(asked["start"]), minutes(asked["end"])
    assert starts == list(range(0, 60, every)) and ends == [start + CRON_MINUTES for start in starts]
