"""An update that breaks off or fails is made good by the next one: nothing is made twice, nothing is left behind."""

from threading import Lock

import pytest

from tests.host.life import begin
from tests.host.terminal import counts
from twofold.emulators.server import Answer

OFTEN = (5, 15, 30, 40)
"""After how many resources Ctrl-C is pressed."""


@pytest.mark.parametrize(
    ("cloud", "breaks"),
    [
        pytest.param("azure", (20,), id="azure-once"),  # tests/stacks/test_convergence.py is quicker at it, on both
        pytest.param("azure", OFTEN, id="azure-often", marks=pytest.mark.deep),
        pytest.param("aws", OFTEN, id="aws-often", marks=pytest.mark.deep),
    ],
)
def test_an_update_that_is_interrupted_is_gone_on_with(terminal, monkeypatch, cloud, breaks):
    begin(terminal, f"dev-{cloud}")
    left, one = list(breaks), Lock()

    def press(urn):
        with one:  # resources are made side by side, and a second Ctrl-C would end it at once
            if left and len(terminal.standin.resources) >= left[0]:
                left.pop(0)
                terminal.interrupt()

    monkeypatch.setattr(terminal.standin, "fault", press)
    for _ in breaks:
        assert "created" in counts(terminal("pulumi up --yes --skip-preview", fails=True))
    assert left == []
    terminal("pulumi up --yes --skip-preview")
    assert {terminal.standin.made[urn] for urn in terminal.standin.resources} == {1}
    assert set(counts(terminal("pulumi up --yes --skip-preview"))) == {"unchanged"}
    terminal("pulumi destroy --yes --skip-preview")
    assert terminal.standin.resources == {}
    terminal("pulumi stack rm --yes --preserve-config")


DENIED = {"x-amzn-ErrorType": "AccessDeniedException"}
REFUSED = {
    "azure": ("POST", "/api/publish", Answer(400, {"error": "no zip"}), "the app answered 400 to its artifact"),
    "aws": ("GET", "/configuration", Answer(403, {"Message": "not yours"}, DENIED), "not yours"),
}
"""What a cloud answers to the kit itself, and what is told of it."""


@pytest.mark.parametrize("cloud", ["azure", "aws"])
def test_a_cloud_that_refuses_the_kit_is_told_in_a_line_and_the_next_update_goes_on(terminal, monkeypatch, cloud):
    method, end, refusal, message = REFUSED[cloud]
    answer = terminal.internet.answer

    def refusing(host, verb, path, query, body):
        return refusal if verb == method and path.endswith(end) else answer(host, verb, path, query, body)

    begin(terminal, f"dev-{cloud}")
    with monkeypatch.context() as patch:
        patch.setattr(terminal.internet, "answer", refusing)
        output = terminal("pulumi up --yes --skip-preview", fails=True)
    assert message in output and "Traceback" not in output
    terminal("pulumi up --yes --skip-preview")
    assert {terminal.standin.made[urn] for urn in terminal.standin.resources} == {1}
    terminal("pulumi destroy --yes --skip-preview")
    terminal("pulumi stack rm --yes --preserve-config")
