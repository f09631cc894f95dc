"""Blobs in a container, put there with the deployer's own login; and static files as a resource of them.

`storage.Blob` needs the account's shared key, which is off here (pulumi-azure-native#2015). So dynamic resources upload with
azure-storage-blob and the deployer's Entra token. Its role on the container may be minutes old, and takes that long to be known.
"""

import contextlib
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi import dynamic

from twofold.deploy.azure import login
from twofold.deploy.dynamic_provider import DynamicProvider
from twofold.deploy.retry import Retry
from twofold.deploy.static import Content
from twofold.deploy.user_errors import UserError

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient, ContentSettings

NO_ROLE_YET = "AuthorizationPermissionMismatch"
"""What Storage says to a login whose role it does not know, yet or at all. Its firewall says AuthorizationFailure, to no end."""
ROLE = Retry(600, pause=10)
"""Azure says that an assignment can take ten minutes to take effect."""
AT_ONCE = Retry(0, pause=0)


class UploadFailed(UserError):
    """A container refused the deployer, or a file is not the one that was planned; the message says why."""


class _NoRoleYet(Exception):
    pass


def opened(url: str) -> "ContainerClient":
    """The container at `url`, with the deployer's login. Raises NoLogin."""
    from azure.storage.blob import ContainerClient

    return ContainerClient.from_container_url(url, login.credential(login.STORAGE))


def retry(writer: str) -> Retry:
    """How long a refusal is waited out. `writer` has the role, or empty: somebody whom config names, perhaps a group.

    A role of this login's own may be minutes old; another's never becomes it.
    """
    return ROLE if writer in ("", login.object_id()) else AT_ONCE


def upload(
    container: "ContainerClient", name: str, data: bytes, retry: Retry, settings: "ContentSettings | None" = None
) -> None:
    """Writes a blob, over the one of that name. Raises UploadFailed."""
    _permitted(container, lambda: container.upload_blob(name, data, overwrite=True, content_settings=settings), retry)


def delete(container: "ContainerClient", name: str, retry: Retry) -> None:
    """Deletes a blob, if it is there. Raises UploadFailed."""
    from azure.core.exceptions import ResourceNotFoundError

    def gone() -> None:
        with contextlib.suppress(ResourceNotFoundError):
            container.delete_blob(name)

    _permitted(container, gone, retry)


def _permitted(container: "ContainerClient", call: Callable[[], object], retry: Retry) -> None:
    from azure.core.exceptions import HttpResponseError

    def attempt() -> None:
        try:
            call()
        except HttpResponseError as exc:
            code = getattr(exc, "error_code", None)
            if code == NO_ROLE_YET:
                raise _NoRoleYet from None
            why = getattr(code, "value", code) or exc.message.splitlines()[0]
            raise UploadFailed(f"{container.url} refused this login: {why}") from None

    try:
        retry.call(attempt, _NoRoleYet)
    except _NoRoleYet:
        raise UploadFailed(
            f"{container.url}: this login may not write here: the role (Storage Blob Data Contributor) is another's, or was not "
            f"known within {retry.seconds:.0f} seconds. Let twofold:deployer name who deploys, a group where it is more than "
            f"one, and run pulumi up again"
        ) from None


def synchronize(
    container: "ContainerClient", old: dict[str, Any], new: dict[str, Any], folder: Path, retry: Retry = ROLE
) -> None:
    """Uploads what is new or changed, then deletes what is gone. Both are `{name: {digest, type, cache}}`.

    New files come first, so that no page refers to one that is not there. Raises UploadFailed.
    """
    from azure.storage.blob import ContentSettings

    for name, file in new.items():
        if old.get(name) != file:
            content = (folder / name).read_bytes()
            if hashlib.sha256(content).hexdigest() != file["digest"]:
                raise UploadFailed(f"{folder / name} is not the file that was planned; run pulumi up again")
            settings = ContentSettings(content_type=file["type"], cache_control=file["cache"])
            upload(container, name, content, retry, settings)
    for name in old.keys() - new.keys():
        delete(container, name, retry)


class _Provider(DynamicProvider):
    update_on, replace_on = ("files",), ("account", "container")

    def resource_id(self, props: dict[str, Any]) -> str:
        return f"{props['account']}/{props['container']}"

    def apply(self, props: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
        with opened(f"https://{props['account']}.blob.core.windows.net/{props['container']}") as container:
            synchronize(container, before.get("files", {}), props["files"], Path(props["path"]), retry(props["writer"]))
        return {}


class Blobs(dynamic.Resource):
    """A container's files: uploaded when their bytes or headers change, deleted when they are gone. They go with the container.

    `writer` is as in `writer.Writer`. No credential enters the state.
    """

    def __init__(
        self, name: str, *, account: pulumi.Input[str], container: pulumi.Input[str], content: Content,
        writer: pulumi.Input[str], opts: pulumi.ResourceOptions | None = None,
    ) -> None:  # fmt: skip
        files = {
            one.name: {"digest": one.digest, "type": one.content_type, "cache": one.cache_control}
            for one in content.files
        }
        props = {
            "account": account, "container": container, "path": str(content.folder), "files": files, "writer": writer,
        }  # fmt: skip
        super().__init__(_Provider(), name, props, opts)
