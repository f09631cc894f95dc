"""Who a service speaks to outside its cloud: for the stacks that orders go through."""

import pytest

from tests.fakes.issuer import IssuerFake
from tests.fakes.payments import Payments


@pytest.fixture(scope="module")
def issuer():
    with IssuerFake() as fake:
        yield fake


@pytest.fixture(scope="module")
def payments():
    with Payments() as fake:
        yield fake
