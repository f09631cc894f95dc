"""Every deployed artifact is kept as the blob `<digest>.zip`, to go back to: put there by the deployer's login."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi import dynamic

from twofold.deploy.azure import blobs
from twofold.deploy.azure.code import planned
from twofold.deploy.patience import Patience

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

CONTAINER = "releases"


def keep(
    container: "ContainerClient", artifact: Path, digest: str, count: int, patience: Patience = blobs.ROLE
) -> list[str]:
    """Uploads the artifact, then deletes all but the last `count` of what was uploaded; returns the names of those.

    The blob that was written last is the one that is deployed. Raises UploadFailed.
    """
    name = f"{digest}.zip"
    blobs.upload(container, name, artifact.read_bytes(), patience)
    # Times have whole seconds: two in one second must not cost the one that was just written.
    found = sorted(container.list_blobs(), key=lambda blob: (blob.name == name, blob.last_modified), reverse=True)
    for blob in found[count:]:
        blobs.delete(container, blob.name, patience)
    return [blob.name for blob in found[:count]]


class _Provider(dynamic.ResourceProvider):
    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        _keep(props)
        return dynamic.CreateResult(f"{props['url']}/{props['digest']}.zip", props)

    def update(self, _id: str, _olds: dict[str, Any], props: dict[str, Any]) -> dynamic.UpdateResult:
        _keep(props)
        return dynamic.UpdateResult(props)

    def diff(self, _id: str, olds: dict[str, Any], props: dict[str, Any]) -> dynamic.DiffResult:
        replaces = ["url"] if olds.get("url") != props.get("url") else []
        changes = any(olds.get(key) != props.get(key) for key in ("digest", "count"))
        return dynamic.DiffResult(changes=bool(replaces) or changes, replaces=replaces)


def _keep(props: dict[str, Any]) -> None:
    with blobs.opened(props["url"]) as container:
        keep(container, planned(props), props["digest"], int(props["count"]))


class Release(dynamic.Resource):
    """The artifact among the last `count` in the container at `url`; uploaded when its bytes change. They go with the container."""

    def __init__(
        self, name: str, *, url: pulumi.Input[str], path: str, digest: str, count: int,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:  # fmt: skip
        super().__init__(_Provider(), name, {"url": url, "path": path, "digest": digest, "count": count}, opts)
