"""A stack's life, as the pages about deploying tell it."""

from tests.host.terminal import Terminal, counts


def begin(terminal: Terminal, stack: str) -> None:
    """What is typed before the first update."""
    terminal(f"pulumi stack init {stack}")
    terminal("pulumi config set twofold:oidcIssuer https://issuer.test")


def live(terminal: Terminal, stack: str, move=None) -> None:
    """From `stack init` to `destroy`: all that is planned is made, and nothing left. With `move`, which moves project and
    environment elsewhere, other updates come before and after it: nothing is done twice."""
    begin(terminal, stack)
    shown = terminal("pulumi up --yes")
    planned, created = counts(shown.partition("Updating (")[0]), counts(shown)
    assert created == {"created": planned["create"]}
    if move is not None:
        for command in ("up", "refresh"):
            assert counts(terminal(f"pulumi {command} --yes --skip-preview")) == {"unchanged": created["created"]}
        move()
        terminal(f"pulumi stack select {stack}")  # a person's choice is by folder
        assert counts(terminal("pulumi up --yes --skip-preview")) == {"unchanged": created["created"]}
    assert counts(terminal("pulumi destroy --yes")) == {"deleted": created["created"]}
    assert terminal.standin.resources == {}
