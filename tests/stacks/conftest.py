"""Stacks that the files read: shared ones, and each its own."""

from functools import cache

import pytest

from tests.stacks.captured import Captured


@pytest.fixture(scope="session")
def captured(tmp_path_factory):
    """`captured(cloud, **config)`: the stack of a config, brought up once however many ask for it."""

    @cache
    def up(cloud, **changed):
        return Captured(tmp_path_factory.mktemp(cloud), cloud, **changed)

    return up


@pytest.fixture
def resources(life):
    """What the stack whose life a file tells is made of."""
    return life["resources"]
