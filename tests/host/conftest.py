"""Fresh checkouts, and terminals in them."""

import pytest

from tests.copies.copy import ROOT, Copy
from tests.host.terminal import Terminal


def checkout(folder, *, built=False):
    """This tree in a folder of its own, after `make install`: the environment is this one's."""
    Copy(folder, built=built)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    return folder


@pytest.fixture(scope="module")
def terminal(tmp_path_factory):
    """In a fresh checkout."""
    folder = tmp_path_factory.mktemp("host")
    one = Terminal(checkout(folder / "orders", built=True), folder / "home")
    yield one
    one.close()
