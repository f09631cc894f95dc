"""What an update does itself, with the deployer's login, where no provider has a resource for it."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from pulumi import dynamic

from twofold.deploy.user_errors import hide_tracebacks


class DynamicProvider(dynamic.ResourceProvider, ABC):
    """A dynamic resource's provider: applies it when the resource is made, and again when one of `update_on` has changed.

    When one of `replace_on` has, the resource is replaced. Anything else, such as a path on this machine, changes nothing. What
    is raised fails the update and leaves the state as it was, so the next one applies it again; a UserError is shown as its
    message.
    """

    update_on: ClassVar[tuple[str, ...]] = ()
    replace_on: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def resource_id(self, props: dict[str, Any]) -> str:
        """The resource's id."""

    @abstractmethod
    def apply(self, props: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
        """Does the work; returns the outputs that are not inputs. `before` is the resource as it was, empty at first."""

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        hide_tracebacks()
        return dynamic.CreateResult(self.resource_id(props), props | self.apply(props, {}))

    def update(self, _id: str, olds: dict[str, Any], props: dict[str, Any]) -> dynamic.UpdateResult:
        hide_tracebacks()
        return dynamic.UpdateResult(props | self.apply(props, olds))

    def diff(self, _id: str, olds: dict[str, Any], props: dict[str, Any]) -> dynamic.DiffResult:
        changed = [key for key in (*self.update_on, *self.replace_on) if olds.get(key) != props.get(key)]
        return dynamic.DiffResult(changes=bool(changed), replaces=[key for key in changed if key in self.replace_on])
