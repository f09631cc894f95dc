"""The repository's stacks from `stack init` to `destroy`, as typed in a fresh checkout."""

import pytest

from tests.engine.answers import SUBSCRIPTION, TENANT
from tests.host.conftest import checkout
from tests.host.life import begin, live
from tests.host.terminal import counts


@pytest.mark.parametrize("cloud", ["azure", "aws"])
def test_a_development_stack_lives(terminal, tmp_path, cloud):
    def move():
        moved = checkout(tmp_path / "moved")
        for file in (terminal.project / "stacks/config").iterdir():
            (moved / "stacks/config" / file.name).write_bytes(file.read_bytes())
        terminal.project = moved

    live(terminal, f"dev-{cloud}", move)


@pytest.mark.deep
def test_a_production_stack_is_destroyed_only_when_it_is_no_longer_protected(terminal):
    begin(terminal, "prod-azure")
    terminal(f"pulumi config set twofold:subscription {SUBSCRIPTION}")
    terminal(f"pulumi config set twofold:tenant {TENANT}")
    created = counts(terminal("pulumi up --yes"))["created"]
    before = dict(terminal.standin.resources)
    assert "protect" in terminal("pulumi destroy --yes", fails=True) and terminal.standin.resources == before
    terminal("pulumi config set twofold:protect false")
    terminal("pulumi up --yes --skip-preview")
    assert counts(terminal("pulumi destroy --yes --skip-preview")) == {"deleted": created}
