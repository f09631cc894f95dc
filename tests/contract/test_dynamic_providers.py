"""Where a stack's dynamic resources are looked for: their providers' module and class stand in its state."""

import importlib
import pkgutil
from pathlib import Path

import twofold.deploy
from twofold.deploy.dynamic_provider import DynamicProvider

GOLDEN = Path(__file__).parent / "golden/dynamic-providers.txt"


def test_the_providers_are_where_the_states_of_released_stacks_have_them():
    """A provider that moves leaves its old name behind, as an import: else no stack of before can be updated or destroyed."""
    for module in pkgutil.walk_packages(twofold.deploy.__path__, "twofold.deploy."):
        importlib.import_module(module.name)
    here = {f"{one.__module__}:{one.__qualname__}" for one in DynamicProvider.__subclasses__()}
    assert here == set(GOLDEN.read_text().split())
