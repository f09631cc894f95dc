"""Files in a blob container, put there with the deployer's own login.

`storage.Blob` needs the account's shared key, which is off here (pulumi-azure-native#2015). So a dynamic resource uploads with
azure-storage-blob and the deployer's Entra token. Its role on the container may be minutes old, and takes that long to be known.
"""

import hashlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi import dynamic

from twofold.deploy.static import Content
from twofold.deploy.told import Told, plainly

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

NOT_YET = ("AuthorizationPermissionMismatch", "AuthorizationFailure")
"""What Storage says to a login whose role it does not know, yet or at all."""
WAIT_SECONDS = 600


class UploadFailed(Told):
    """A file can't be put into its container; the message says why."""


def synchronize(
    container: "ContainerClient", old: dict[str, Any], new: dict[str, Any], folder: Path, *,
    wait: float = WAIT_SECONDS, pause: float = 10,
) -> None:  # fmt: skip
    """Uploads what is new or changed, then deletes what is gone. Both are `{name: {digest, type, cache}}`.

    New files come first, so that no page refers to one that is not there. Raises UploadFailed when the login has no role on
    the container after `wait` seconds, or a file is not the one that was planned.
    """
    from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
    from azure.storage.blob import ContentSettings

    deadline = time.monotonic() + wait

    def retried(call: Any, *args: Any, **kwargs: Any) -> None:
        while True:
            try:
                call(*args, **kwargs)
                return
            except ResourceNotFoundError:
                if call == container.upload_blob:
                    raise
                return  # deleted before
            except HttpResponseError as exc:
                if str(exc.error_code) not in NOT_YET:  # type: ignore[attr-defined]
                    raise
                if time.monotonic() > deadline:
                    raise UploadFailed(
                        f"{container.url}: this login may not write here; its role (Storage Blob Data Contributor) was not known "
                        f"within {wait:.0f} seconds. Run pulumi up again, or ask who may assign roles"
                    ) from exc
                time.sleep(pause)

    for name, file in new.items():
        if old.get(name) != file:
            content = (folder / name).read_bytes()
            if hashlib.sha256(content).hexdigest() != file["digest"]:
                raise UploadFailed(f"{folder / name} is not the file that was planned; run pulumi up again")
            settings = ContentSettings(content_type=file["type"], cache_control=file["cache"])
            retried(container.upload_blob, name, content, overwrite=True, content_settings=settings)
    for name in old.keys() - new.keys():
        retried(container.delete_blob, name)


class _Provider(dynamic.ResourceProvider):
    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        _deploy({}, props)
        return dynamic.CreateResult(f"{props['account']}/{props['container']}", props)

    def update(self, _id: str, olds: dict[str, Any], props: dict[str, Any]) -> dynamic.UpdateResult:
        _deploy(olds["files"], props)
        return dynamic.UpdateResult(props)

    def diff(self, _id: str, olds: dict[str, Any], props: dict[str, Any]) -> dynamic.DiffResult:
        # The path is this machine's; only the container and the bytes say whether there is something to do.
        replaces = [key for key in ("account", "container") if olds.get(key) != props.get(key)]
        return dynamic.DiffResult(changes=bool(replaces) or olds.get("files") != props.get("files"), replaces=replaces)


def _deploy(old: dict[str, Any], props: dict[str, Any]) -> None:
    from azure.identity import DefaultAzureCredential  # the deployer's login
    from azure.storage.blob import ContainerClient

    plainly()
    url = f"https://{props['account']}.blob.core.windows.net"
    with ContainerClient(url, props["container"], DefaultAzureCredential()) as container:
        synchronize(container, old, props["files"], Path(props["path"]))


class Blobs(dynamic.Resource):
    """A container's files: uploaded when their bytes or headers change, deleted when they are gone. They go with the container.

    No credential enters the state.
    """

    def __init__(
        self, name: str, *, account: pulumi.Input[str], container: pulumi.Input[str], content: Content,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:  # fmt: skip
        files = {
            one.name: {"digest": one.digest, "type": one.content_type, "cache": one.cache_control}
            for one in content.files
        }
        props = {"account": account, "container": container, "path": str(content.folder), "files": files}
        super().__init__(_Provider(), name, props, opts)
