"""What an update does itself, with the deployer's login, where no provider has a resource for it."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from pulumi import dynamic

from twofold.deploy.told import plainly


class Task(dynamic.ResourceProvider, ABC):
    """A dynamic resource's provider: does its work when the resource is made, and again when one of `again` has changed.

    When one of `anew` has, the resource is replaced. Anything else, such as a path on this machine, changes nothing. What is
    raised fails the update and leaves the state as it was, so the next one does it again; what is Told is shown as its message.
    """

    again: ClassVar[tuple[str, ...]] = ()
    anew: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def named(self, props: dict[str, Any]) -> str:
        """The resource's id."""

    @abstractmethod
    def work(self, props: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
        """Does it; returns the outputs that are not inputs. `before` is the resource as it was, empty at first."""

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        plainly()
        return dynamic.CreateResult(self.named(props), props | self.work(props, {}))

    def update(self, _id: str, olds: dict[str, Any], props: dict[str, Any]) -> dynamic.UpdateResult:
        plainly()
        return dynamic.UpdateResult(props | self.work(props, olds))

    def diff(self, _id: str, olds: dict[str, Any], props: dict[str, Any]) -> dynamic.DiffResult:
        changed = [key for key in (*self.again, *self.anew) if olds.get(key) != props.get(key)]
        return dynamic.DiffResult(changes=bool(changed), replaces=[key for key in changed if key in self.anew])
