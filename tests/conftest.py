"""Fixtures that every folder may use."""

import os
import sys

import pytest

import tests.depth  # noqa: F401 - registers the profiles before a test is collected
from tests.emulators.fixtures import azurite, azurite_blobs, azurite_services, dynamodb_local, ministack, redis_url
from tests.parity.record import install

__all__ = ["azurite", "azurite_blobs", "azurite_services", "dynamodb_local", "ministack", "redis_url"]

# Where the environment forbids bytecode, each process that a test starts would compile the clouds' SDKs anew: seconds.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

LONG = ("tests/copies", "tests/host", "tests/integration", "tests/stacks")


def pytest_configure(config):
    """Keeps the outcomes for the parity matrix."""
    install(config)


def pytest_collection_modifyitems(items):
    """Long files first: one that a worker begins at the end leaves the other worker idle."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))


@pytest.fixture(scope="module", params=["azure", "aws"])
def cloud(request):
    """Each in turn."""
    return request.param
