"""Every deployed artifact is kept as the blob `<digest>.zip`, to go back to: put there by the deployer's login.

Shared keys are off. The deployer's role on the container may be minutes old: Azure says that an assignment can take ten minutes
to take effect, and refuses until then.
"""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi import dynamic

from twofold.deploy.azure.code import DeploymentFailed, planned
from twofold.deploy.told import plainly

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

CONTAINER = "releases"
NO_ROLE_YET = "AuthorizationPermissionMismatch"
WAIT_SECONDS = 600


def keep(
    container: "ContainerClient", artifact: Path, digest: str, count: int, *, pause: float = 10.0,
    patience: float = WAIT_SECONDS,
) -> list[str]:  # fmt: skip
    """Uploads the artifact, then deletes all but the last `count` of what was uploaded; returns the names of those.

    The blob that was written last is the one that is deployed. Raises DeploymentFailed for a login whose role on the
    container is not known within `patience` seconds.
    """
    from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

    name, deadline = f"{digest}.zip", time.monotonic() + patience
    while True:
        try:
            container.upload_blob(name, artifact.read_bytes(), overwrite=True)
            break
        except HttpResponseError as exc:
            code = getattr(exc, "error_code", "")
            code = getattr(code, "value", code)
            if code != NO_ROLE_YET:
                raise DeploymentFailed(
                    f"{container.url} refused the artifact: {code or exc.message.splitlines()[0]}"
                ) from None
            if time.monotonic() > deadline:
                raise DeploymentFailed(
                    f"{container.url}: this login may not write here; its role (Storage Blob Data Contributor) was not known "
                    f"within {patience:.0f} seconds. Run pulumi up again, or ask who may assign roles"
                ) from None
            time.sleep(pause)
    # Times have whole seconds: two in one second must not cost the one that was just written.
    blobs = sorted(container.list_blobs(), key=lambda blob: (blob.name == name, blob.last_modified), reverse=True)
    for blob in blobs[count:]:
        try:
            container.delete_blob(blob.name)
        except ResourceNotFoundError:
            continue  # deleted meanwhile
    return [blob.name for blob in blobs[:count]]


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
    from azure.identity import DefaultAzureCredential  # the deployer's login
    from azure.storage.blob import ContainerClient

    plainly()
    artifact = planned(props)
    with ContainerClient.from_container_url(props["url"], DefaultAzureCredential()) as container:
        keep(container, artifact, props["digest"], int(props["count"]))


class Release(dynamic.Resource):
    """The artifact among the last `count` in the container at `url`; uploaded when its bytes change. They go with the container."""

    def __init__(
        self, name: str, *, url: pulumi.Input[str], path: str, digest: str, count: int,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:  # fmt: skip
        super().__init__(_Provider(), name, {"url": url, "path": path, "digest": digest, "count": count}, opts)
