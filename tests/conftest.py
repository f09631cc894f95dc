"""Fixtures that every folder may use."""

import os
import sys

import pytest

import tests.depth  # noqa: F401 - registers the profiles before a test is collected
from tests.emulators.fixtures import (
    azurite,
    azurite_blobs,
    azurite_services,
    dynamodb,
    dynamodb_moto,
    ministack,
    moto,
    redis_url,
)
from tests.parity.record import install

__all__ = [
    "azurite",
    "azurite_blobs",
    "azurite_services",
    "dynamodb",
    "dynamodb_moto",
    "ministack",
    "moto",
    "redis_url",
]

# Where the environment forbids bytecode, each process that a test starts would compile the clouds' SDKs anew: seconds.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

LONG = ("tests/copies", "tests/host", "tests/integration", "tests/stacks")


def pytest_configure(config):
    """Keeps the outcomes for the parity matrix."""
    install(config)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """pytest's own handlers have their format back after a test: a service that starts in this process gives them its own."""
    plugin = item.config.pluginmanager.get_plugin("logging-plugin")
    formats = [(handler, handler.formatter) for handler in (plugin.caplog_handler, plugin.report_handler)]
    result = yield
    for handler, format in formats:
        handler.setFormatter(format)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable():
    """A worker may tell of half a surrogate pair, which a test has logged: what carries it to the other process takes UTF-8."""
    return _encodable((yield))


def _encodable(value):
    match value:
        case str():
            return value.encode("utf-8", "backslashreplace").decode()
        case dict():
            return {key: _encodable(one) for key, one in value.items()}
        case list() | tuple():
            return type(value)(_encodable(one) for one in value)
    return value


def pytest_collection_modifyitems(items):
    """Long files first: one that a worker begins at the end leaves the other worker idle."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))


@pytest.fixture(scope="module", params=["azure", "aws"])
def cloud(request):
    """Each in turn."""
    return request.param
