"""The public API is a list under version control: a change of it is a change of this file, and a line in the changelog."""

from pathlib import Path

from tests.contract import public_api

LIST = Path(__file__).with_name("public_api.txt")


def test_the_public_api_is_the_list():
    have, want = set(public_api.lines()), set(LIST.read_text().splitlines())
    assert have == want, (
        f"gone: {sorted(want - have)}\nnew: {sorted(have - want)}\n"
        "is it meant? python -m tests.contract.public_api > tests/contract/public_api.txt, and a line in CHANGELOG.md"
    )
