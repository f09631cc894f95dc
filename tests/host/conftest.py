"""Fresh checkouts, and terminals in them."""

import pytest

from tests.copies.copy import ROOT, Copy
from tests.host.terminal import Terminal


@pytest.fixture(scope="module")
def terminal(tmp_path_factory):
    """In a fresh checkout after `make install`, whose `.venv` is this one."""
    folder = tmp_path_factory.mktemp("host")
    one = Terminal(checkout(folder / "orders"), folder / "home")
    yield one
    one.close()


def checkout(folder):
    Copy(folder)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    return folder
