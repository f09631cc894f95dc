"""`pulumi preview` of each of the repository's stacks, as typed in a fresh checkout."""

import pytest
import yaml

from tests.engine.answers import ACCOUNT, SUBSCRIPTION, TENANT
from tests.host.terminal import counts
from tests.stacks.stack import ROOT

FILES = sorted((ROOT / "stacks/config").glob("Pulumi.*.yaml"))
YOURS = {"account": ACCOUNT, "subscription": SUBSCRIPTION, "tenant": TENANT}
"""What a file says is yours to fill in."""


@pytest.mark.parametrize(
    "file", [pytest.param(file, id=file.stem, marks=[pytest.mark.deep] * ("prod" not in file.stem)) for file in FILES]
)
def test_a_preview_plans_the_whole_stack_and_makes_nothing(terminal, file):
    stack = file.stem.removeprefix("Pulumi.")
    terminal(f"pulumi stack init {stack}")
    for key, value in YOURS.items():
        if f"twofold:{key}" in yaml.safe_load(file.read_text())["config"]:
            terminal(f"pulumi config set twofold:{key} {value}")
    output = terminal("pulumi preview")
    assert set(counts(output)) == {"create"} and counts(output)["create"] > 50, output
    assert terminal.standin.resources == {}
