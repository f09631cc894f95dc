"""Releases on Azure: the blobs `<digest>.zip` in a container of their own; the one that was written or touched last is live.

A rollback publishes the blob to every app as `pulumi up` does: Flex Consumption has no versions of its own. Each publication
ends the running executions of its app, whose messages and feed batches come again.
"""

import contextlib
import logging
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twofold.deploy.azure import triggers
from twofold.deploy.azure.code import DeploymentFailed, publish
from twofold.deploy.azure.login import SCOPE, STORAGE
from twofold.deploy.config import RESOURCE_MANAGER
from twofold.deploy.releases import Release, ReleaseError, verified
from twofold.deploy.user_errors import warn

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.storage.blob import ContainerClient

ENDPOINT = "https://{app}.scm.azurewebsites.net"
SUFFIX = ".zip"


class Releases:
    """Of the apps `units` (resource ids by role), in the container at `url`. Needs *Storage Blob Data Contributor* there and, to
    activate, the rights to publish to the apps and to sync their triggers."""

    def __init__(
        self, url: str, units: Mapping[str, str], *, credential: "TokenCredential | None" = None,
        endpoint: str = ENDPOINT, arm: str = RESOURCE_MANAGER, **options: Any,
    ) -> None:  # fmt: skip
        from azure.identity import DefaultAzureCredential

        self._url, self._units, self._endpoint, self._arm, self._options = url, units, endpoint, arm, options
        logging.getLogger("azure.identity").setLevel(logging.ERROR)  # it warns of each login that it does not find
        self._credential = credential or DefaultAzureCredential()

    @cached_property
    def _container(self) -> "ContainerClient":
        from azure.storage.blob import ContainerClient

        self._credential.get_token(STORAGE)  # the SDK would ask a login that has none for a minute and a half
        return ContainerClient.from_container_url(self._url, self._credential, **self._options)

    def read(self) -> list[Release]:
        """See `deploy.releases`."""
        with self._told():
            blobs = [blob for blob in self._container.list_blobs() if blob.name.endswith(SUFFIX)]
        blobs.sort(key=lambda blob: blob.last_modified, reverse=True)
        return [
            Release(blob.name.removesuffix(SUFFIX), blob.last_modified, () if index else tuple(self._units))
            for index, blob in enumerate(blobs)
        ]

    def activate(self, digest: str) -> None:
        """See `deploy.releases`. All apps at a time: it takes as long as the slowest."""
        before = next((one.digest for one in self.read() if one.live), None)
        with self._told():
            self._token()  # no login, no attempt
        moved, failed = self._publish(digest, list(self._units))
        if failed:
            back, unsynced = self._publish(before, moved) if before and moved else ([], {})
            for role in back:
                if role in unsynced:
                    warn(f"{role} runs what it ran before; {unsynced[role]}")
            stuck = [role for role in moved if role not in back]
            state = f"{', '.join(stuck)} runs it nevertheless" if stuck else "every unit runs what it ran before"
            raise ReleaseError(f"{'; '.join(f'{role}: {why}' for role, why in failed.items())}; {state}")
        with self._told():
            # Its time says which one is live.
            when = {"activated": datetime.now(UTC).isoformat(timespec="seconds")}
            self._container.get_blob_client(digest + SUFFIX).set_blob_metadata(when)

    def fetch(self, digest: str) -> bytes:
        """See `deploy.releases`."""
        with self._told():
            data = self._container.download_blob(digest + SUFFIX).readall()
        return verified(data, digest, self._url)

    def _token(self) -> str:
        return self._credential.get_token(SCOPE).token

    def _publish(self, digest: str, roles: list[str]) -> tuple[list[str], dict[str, str]]:
        """Publishes to the apps of these roles; returns the roles that run it now, and why it failed, by role.

        A role may be in both: its app runs it, and its triggers could not be synced.
        """
        from azure.core.exceptions import AzureError

        moved: list[str] = []

        def one(role: str) -> str | None:
            site = self._units[role]
            try:
                publish(self._endpoint.format(app=site.rpartition("/")[2]), path, self._token)
                moved.append(role)
                # Its functions may be others than those of today's manifest: any will do.
                if warning := triggers.sync(site, (), self._token, arm=self._arm):
                    warn(warning)
            except (DeploymentFailed, triggers.SyncFailed) as exc:
                return str(exc)
            except AzureError as exc:  # the login gave no further token
                return str(exc).splitlines()[0]
            return None

        with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(max(len(roles), 1)) as pool:
            path = Path(folder) / (digest + SUFFIX)
            path.write_bytes(self.fetch(digest))
            whys = zip(roles, pool.map(one, roles), strict=True)
            failed = {role: why for role, why in whys if why is not None}
        return moved, failed

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        from azure.core.exceptions import AzureError, ClientAuthenticationError, ResourceNotFoundError

        try:
            yield
        except ResourceNotFoundError as exc:
            raise ReleaseError(f"{self._url} has no such release: {exc.message.splitlines()[0]}") from exc
        except ClientAuthenticationError as exc:
            why = str(exc).splitlines()[0]
            raise ReleaseError(f"{self._url} takes no login that is found here; run: az login ({why})") from exc
        except AzureError as exc:
            raise ReleaseError(f"could not get at the releases of {self._url}: {str(exc).splitlines()[0]}") from exc
