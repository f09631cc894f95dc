"""The artifact's way onto a Flex Consumption app: One Deploy, posted to the app's own deployment endpoint.

`storage.Blob` needs the account's shared key, which is off here (pulumi-azure-native#2015). This speaks what Azure CLI, azd
and Functions Core Tools speak: the zip is posted to `https://<app>.scm.azurewebsites.net/api/publish` with the deployer's
Entra token, 202 answers with the deployment's id, and `/api/deployments/<id>` tells how it goes. docs/design/azure.md has the
evidence. Not yet seen against a real account. The platform then learns the app's triggers (`triggers`).
"""

import hashlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi import dynamic

from twofold.deploy.azure import triggers
from twofold.deploy.azure.login import token
from twofold.deploy.dynamic_provider import DynamicProvider
from twofold.deploy.retry import Retry
from twofold.deploy.user_errors import UserError, warn

if TYPE_CHECKING:
    import httpx

STATUS = {-1: "was cancelled", 3: "failed", 5: "met another one under way", 6: "succeeded in part"}
SUCCESS, CONFLICT = 4, 5
NOT_UP = (404, 409, 429, 500, 502, 503, 504)
"""What a new app's endpoint answers until it is up and while another deployment is under way: worth another try."""
START = Retry(600, pause=5)
"""An endpoint has to come up, and a new role of the app's identity to be known to its container."""
WAIT_SECONDS = 600
FORBIDDEN = ("403", "Forbidden", "AuthorizationPermissionMismatch")


class DeploymentFailed(UserError):
    """The app refused the artifact, or its deployment failed; the message has what the app said."""


class _Again(Exception):
    """It may go well next time; the message says why it did not."""


def publish(endpoint: str, artifact: Path, token: Callable[[], str], retry: Retry = START) -> str:
    """Deploys the zip and waits until the app has it; returns the deployment's id. Raises DeploymentFailed.

    An app that is not up yet, another deployment under way and a container that refuses the app's new identity are tried
    again, for longer than a token may be good: `token` is asked for each request.
    """
    import httpx  # only in the process that deploys

    timeout = httpx.Timeout(60, write=600)  # 33 MB over a slow line
    with httpx.Client(auth=triggers.bearer(token), timeout=timeout) as client:
        try:
            return retry.call(
                lambda: _follow(client, endpoint, _post(client, endpoint, artifact), retry.pause),
                (_Again, httpx.TransportError),
            )
        except (_Again, httpx.TransportError) as exc:
            raise DeploymentFailed(f"the app did not take its artifact in {retry.seconds:.0f} s: {exc}") from None


def _post(client: "httpx.Client", endpoint: str, artifact: Path) -> str:
    answer = client.post(
        f"{endpoint}/api/publish",
        params={"RemoteBuild": "false", "Deployer": "twofold"},
        content=artifact.read_bytes(),
        headers={"Content-Type": "application/zip", "Cache-Control": "no-cache"},
    )
    if answer.status_code in NOT_UP:
        raise _Again(f"{answer.status_code} {answer.text[:500]}")
    if answer.status_code not in (200, 202):
        raise DeploymentFailed(f"the app answered {answer.status_code} to its artifact: {answer.text[:500]}")
    return answer.text.strip().strip('"') or "latest"


def _follow(client: "httpx.Client", endpoint: str, deployment: str, pause: float) -> str:
    import httpx

    deadline, seen = time.monotonic() + WAIT_SECONDS, False
    while time.monotonic() < deadline:
        time.sleep(pause)
        try:
            answer = client.get(f"{endpoint}/api/deployments/{deployment}")
        except httpx.TransportError:
            continue  # the deployment goes on
        if answer.status_code == 404 and seen:
            return deployment  # the deployment's worker is recycled when it is done: azd takes it so too
        if answer.status_code in (401, 403):
            raise DeploymentFailed(
                f"the app answered {answer.status_code} to how its deployment goes: {answer.text[:500]}"
            )
        if answer.status_code not in (200, 202) or "json" not in answer.headers.get("Content-Type", ""):
            continue
        seen, state = True, answer.json()
        status = state.get("status")
        if status == SUCCESS:
            return str(state.get("id") or deployment)
        if status in STATUS:
            why = str(state.get("status_text") or state.get("message") or _last_line(client, endpoint, deployment))
            message = f"the deployment {STATUS[status]}: {why}"
            if status == CONFLICT or any(word in why for word in FORBIDDEN):
                raise _Again(message)
            raise DeploymentFailed(message)
    raise DeploymentFailed(f"the deployment did not end within {WAIT_SECONDS} seconds")


def _last_line(client: "httpx.Client", endpoint: str, deployment: str) -> str:
    log = client.get(f"{endpoint}/api/deployments/{deployment}/log")
    lines = log.json() if log.status_code == 200 else []
    return str(lines[-1].get("message", "")) if lines else f"see {endpoint}/api/deployments/{deployment}/log"


class _Provider(DynamicProvider):
    update_on, replace_on = ("digest", "container"), ("app",)

    def resource_id(self, props: dict[str, Any]) -> str:
        return f"{props['app']}-code"

    def apply(self, props: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
        artifact = planned(props)
        deployment = publish(f"https://{props['app']}.scm.azurewebsites.net", artifact, token)
        if warning := triggers.sync(props["site"], props["functions"], token):
            warn(warning)
        return {"deployment": deployment}


def planned(props: dict[str, Any]) -> Path:
    """The artifact's file, if it still is the one that was planned."""
    artifact = Path(props["path"])
    if not artifact.is_file() or hashlib.sha256(artifact.read_bytes()).hexdigest() != props["digest"]:
        raise DeploymentFailed(f"{artifact} is not the artifact that was planned; run pulumi up again")
    return artifact


class Code(dynamic.Resource):
    """The artifact on one app; deployed again when its bytes or the app's container change. No credential enters the state.

    `site` is the app's resource id, `functions` are what the platform must then list of it.
    """

    def __init__(
        self, name: str, *, app: pulumi.Input[str], site: pulumi.Input[str], container: pulumi.Input[str],
        functions: Sequence[str], path: str, digest: str, opts: pulumi.ResourceOptions | None = None,
    ) -> None:  # fmt: skip
        props = {
            "app": app, "site": site, "container": container, "functions": list(functions), "path": path, "digest": digest,
            "deployment": None,
        }  # fmt: skip
        super().__init__(_Provider(), name, props, opts)
