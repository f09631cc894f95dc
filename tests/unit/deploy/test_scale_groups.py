"""What scales by itself is called as the door calls it: a name that no function has would be refused by Flex Consumption, late."""

import pytest

from api.manifest import SERVICE
from twofold.azure.door import build
from twofold.deploy.azure.compute import scale_groups
from twofold.runtime import Runtime

ENVIRON = {
    "TWOFOLD_STORE_URL": "cosmos://a.documents.azure.com/orders",
    "TWOFOLD_QUEUE_URL": "storagequeue://a.queue.core.windows.net/orders",
}


@pytest.mark.parametrize("unit", SERVICE.units, ids=lambda unit: unit.role)
def test_each_group_names_a_function_of_its_unit(unit, tmp_path):
    runtime = Runtime(SERVICE, root=tmp_path, environ=ENVIRON | {"TWOFOLD_ROLE": unit.role})
    functions = {function.get_function_name() for function in build(runtime).get_functions()}
    assert [group.removeprefix("function:") for group in scale_groups(SERVICE, unit)] == sorted(functions)
