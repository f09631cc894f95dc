"""How many examples a property is tried with: some in `make test`, many in `make test-deep`, and never against a clock."""

from hypothesis import HealthCheck, settings

PROFILES = {"quick": 50, "deep": 1000}
for _name, _count in PROFILES.items():
    settings.register_profile(
        _name,
        max_examples=_count,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        derandomize=_name == "quick",  # the same examples in each run
        print_blob=True,
    )
settings.load_profile("quick")  # `--hypothesis-profile=deep` is read later, and wins


def examples(quick: int, deep: int) -> int:
    """The count of this run, where a test has its own."""
    return deep if settings.get_current_profile_name() == "deep" else quick
