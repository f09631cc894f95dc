"""Fixtures that every folder may use."""

import pytest
from hypothesis import settings

from tests.depth import PROFILE
from tests.emulators.fixtures import azurite, azurite_blobs, azurite_services, dynamodb_local, ministack, redis_url
from tests.parity.record import install

__all__ = ["azurite", "azurite_blobs", "azurite_services", "dynamodb_local", "ministack", "redis_url"]


def pytest_configure(config):
    """Keeps the outcomes for the parity matrix; hypothesis looks as deep as the run."""
    install(config)
    settings.load_profile(PROFILE)


@pytest.fixture(scope="module", params=["azure", "aws"])
def cloud(request):
    """Each in turn."""
    return request.param
