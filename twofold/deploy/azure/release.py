"""Every deployed artifact is kept as the blob `<digest>.zip`, to go back to: put there by the deployer's login."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi import dynamic

from twofold.deploy.azure import blobs
from twofold.deploy.azure.code import planned
from twofold.deploy.dynamic_provider import DynamicProvider
from twofold.deploy.retry import Retry

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient


def keep(container: "ContainerClient", artifact: Path, digest: str, count: int, retry: Retry = blobs.ROLE) -> list[str]:
    """Uploads the artifact, then deletes all but the last `count` of what was uploaded; returns the names of those.

    The blob that was written last is the one that is deployed. Raises UploadFailed.
    """
    name = f"{digest}.zip"
    blobs.upload(container, name, artifact.read_bytes(), retry)
    # Times have whole seconds: two in one second must not cost the one that was just written.
    artifacts = sorted(container.list_blobs(), key=lambda blob: (blob.name == name, blob.last_modified), reverse=True)
    for blob in artifacts[count:]:
        blobs.delete(container, blob.name, retry)
    return [blob.name for blob in artifacts[:count]]


class _Provider(DynamicProvider):
    update_on, replace_on = ("digest", "count"), ("url",)

    def resource_id(self, props: dict[str, Any]) -> str:
        return f"{props['url']}/{props['digest']}.zip"

    def apply(self, props: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
        with blobs.opened(props["url"]) as container:
            retry = blobs.retry(props["writer"])
            keep(container, planned(props), props["digest"], int(props["count"]), retry)
        return {}


class Release(dynamic.Resource):
    """The artifact among the last `count` in the container at `url`; uploaded when its bytes change. They go with the container.

    `writer` is as in `writer.Writer`.
    """

    def __init__(
        self, name: str, *, url: pulumi.Input[str], path: str, digest: str, count: int, writer: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:  # fmt: skip
        props = {"url": url, "path": path, "digest": digest, "count": count, "writer": writer}
        super().__init__(_Provider(), name, props, opts)
