"""What the API takes: no member that it does not know, no value of a looser type."""

import pytest
from pydantic import ValidationError

from api.orders.commands import Empty, PlaceOrder
from tests.integration.walk import ORDER

LINE = ORDER["lines"][0]


@pytest.mark.parametrize(
    "changed",
    [
        {"status": "paid"}, {"id": "o-1"}, {"lines": [LINE | {"discount": 1}]}, {"customer_id": 1}, {"currency": "eur"},
        {"lines": [LINE | {"quantity": "2"}]}, {"lines": [LINE | {"quantity": True}]}, {"lines": [LINE | {"quantity": 1.5}]},
        {"lines": [LINE | {"unit_price": float("inf")}]}, {"lines": [LINE | {"unit_price": -1}]}, {"lines": LINE}, {"lines": []},
    ],
)  # fmt: skip
def test_strict_commands(changed):
    """A command with a member too many, or of another type, is refused."""
    with pytest.raises(ValidationError):
        PlaceOrder.model_validate(ORDER | changed)
    with pytest.raises(ValidationError):
        Empty.model_validate(changed)


def test_json_integers():
    """An integer may be written in any way that JSON has for it."""
    assert PlaceOrder.model_validate(ORDER | {"lines": [LINE | {"quantity": 2.0}]}).lines[0].quantity == 2
