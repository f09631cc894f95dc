"""How deep a run of the tests looks: `TWOFOLD_TEST_DEPTH=deep`, which `make test-deep` sets, is for hours, not for each change."""

import os

from hypothesis import settings

DEEP = os.environ.get("TWOFOLD_TEST_DEPTH") == "deep"
PROFILE = "deep" if DEEP else "default"
COMMANDS = 1000 if DEEP else 100
"""How many concurrent commands a store has to bear."""

# What is looked at in minutes is the same each time: a failure is then the change's. No deadline: machines that run tests stall.
settings.register_profile("default", max_examples=40, deadline=None, derandomize=True, database=None)
settings.register_profile("deep", max_examples=1000, deadline=None, print_blob=True)
