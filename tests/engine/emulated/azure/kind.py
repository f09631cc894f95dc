"""How the emulated subscription makes what the engine asks for: a resource type is its place in a group and a class of things."""

import re

from tests.engine.answers import SUBSCRIPTION


class Thing:
    """What stands at a resource id.

    - `properties()` is what it goes by, under the provider's names; what is not among them is not emulated.
    - `update(given)` changes it in place; `close()` ends what it runs.
    """

    def __init__(self, account, resource_id, inputs):
        self.account, self.id, self.name = account, resource_id, resource_id.rpartition("/")[2]

    def properties(self):
        """See `Thing`."""
        return {}

    def update(self, inputs):
        """See `Thing`."""
        raise NotImplementedError(f"{type(self).__name__} can't be changed")

    def close(self):
        """See `Thing`."""


class StateAlone(Thing):
    """What nothing here goes by: it is in the engine's state alone. The test asserts which types these are."""

    def __init__(self, account, resource_id, inputs):
        super().__init__(account, resource_id, inputs)
        self._given = inputs

    def properties(self):
        return self._given

    def update(self, inputs):
        self._given = inputs


class Kind:
    """A resource type: `path` below the group's providers, with inputs' names in braces, which are read back from the id;
    `within` is how much of it has to be there before. See `tests.engine.emulated.kind.Kind` for its methods."""

    service = ""

    def __init__(self, path, thing=StateAlone, *, within=""):
        self._path, self.thing, self._within = path, thing, within

    def create(self, account, inputs, tags):
        """See `Kind`."""
        group = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{inputs['resourceGroupName']}"
        if not self._path:
            return self._place(account, group, inputs)
        account.at(group)
        if self._within:
            account.at(f"{group}/providers/{self._within.format(**inputs)}")
        return self._place(account, f"{group}/providers/{self._path.format(**inputs)}", inputs)

    def _place(self, account, resource_id, inputs):
        if resource_id in account.held:
            raise FileExistsError(f"{resource_id} exists")
        account.held[resource_id] = self.thing(account, resource_id, inputs)
        return resource_id

    def read(self, account, resource_id, inputs):
        """See `Kind`."""
        thing = account.at(resource_id)
        return (
            {"name": thing.name, "resourceGroupName": resource_id.split("/")[4]}
            | self._names(resource_id)
            | thing.properties()
        )

    def _names(self, resource_id):
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(self._path))
        match = re.search(f"/{pattern}$", resource_id) if self._path else None
        return match.groupdict() if match else {}

    def update(self, account, resource_id, old, new):
        """See `Kind`."""
        account.at(resource_id).update(new)

    def delete(self, account, resource_id, inputs):
        """See `Kind`."""
        account.at(resource_id).close()
        del account.held[resource_id]


class Attached(Kind):
    """A type that stands below any resource, which the input `of` names."""

    def __init__(self, of, path, thing=StateAlone):
        super().__init__(path, thing)
        self._of = of

    def create(self, account, inputs, tags):
        """See `Kind`."""
        account.at(inputs[self._of])
        return self._place(account, f"{inputs[self._of]}/providers/{self._path.format(**inputs)}", inputs)

    def read(self, account, resource_id, inputs):
        """See `Kind`."""
        return (
            {"name": resource_id.rpartition("/")[2]} | self._names(resource_id) | account.at(resource_id).properties()
        )
