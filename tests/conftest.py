"""Fixtures that every folder may use."""

import pytest

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


def pytest_configure(config):
    """Keeps the outcomes for the parity matrix."""
    install(config)


@pytest.fixture(scope="module", params=["azure", "aws"])
def cloud(request):
    """Each in turn."""
    return request.param
