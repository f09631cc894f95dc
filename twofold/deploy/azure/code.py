"""The artifact's way onto a Flex Consumption app: One Deploy, posted to the app's own deployment endpoint.

`storage.Blob` needs the account's shared key, which is off here (pulumi-azure-native#2015). Azure CLI's
`functionapp deployment source config-zip` does what this does for Flex Consumption: it posts the zip to
`https://<app>.scm.azurewebsites.net/api/publish` with the deployer's Entra token and follows `/api/deployments/latest`.
Not yet seen against a real account: what is tested is the protocol as the CLI speaks it.
"""

import hashlib
import time
from pathlib import Path
from typing import Any

import pulumi
from pulumi import dynamic

SCOPE = "https://management.azure.com/.default"
SUCCESS, FAILED = 4, (3, -1)
WAIT_SECONDS = 600


class DeploymentFailed(Exception):
    """The app refused the artifact, or its deployment failed; the message has what the app said."""


def publish(endpoint: str, artifact: Path, token: str, *, pause: float = 3.0) -> str:
    """Deploys the zip and waits until the app runs it; returns the deployment's id. Raises DeploymentFailed."""
    import httpx  # only in the process that deploys

    with httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=120) as client:
        answer = client.post(
            f"{endpoint}/api/publish",
            params={"RemoteBuild": "false", "Deployer": "twofold"},
            content=artifact.read_bytes(),
            headers={"Content-Type": "application/zip"},
        )
        if answer.status_code not in (200, 202):
            raise DeploymentFailed(f"the app answered {answer.status_code} to its artifact: {answer.text[:500]}")
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            latest = client.get(f"{endpoint}/api/deployments/latest")
            if latest.status_code == 200:
                state = latest.json()
                if state.get("status") == SUCCESS:
                    return str(state.get("id", ""))
                if state.get("status") in FAILED:
                    raise DeploymentFailed(f"the deployment failed: {state.get('status_text') or state.get('message')}")
            time.sleep(pause)
    raise DeploymentFailed(f"the deployment did not end within {WAIT_SECONDS} seconds")


class _Provider(dynamic.ResourceProvider):
    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        return dynamic.CreateResult(f"{props['app']}-code", {**props, "deployment": _deploy(props)})

    def update(self, _id: str, _olds: dict[str, Any], props: dict[str, Any]) -> dynamic.UpdateResult:
        return dynamic.UpdateResult({**props, "deployment": _deploy(props)})

    def diff(self, _id: str, olds: dict[str, Any], props: dict[str, Any]) -> dynamic.DiffResult:
        # The path is this machine's; only the app and the bytes say whether there is something to do.
        replaces = ["app"] if olds.get("app") != props.get("app") else []
        return dynamic.DiffResult(
            changes=bool(replaces) or olds.get("digest") != props.get("digest"), replaces=replaces
        )


def _deploy(props: dict[str, Any]) -> str:
    from azure.identity import DefaultAzureCredential  # the deployer's login

    artifact = Path(props["path"])
    if hashlib.sha256(artifact.read_bytes()).hexdigest() != props["digest"]:
        raise DeploymentFailed(f"{artifact} is not the artifact that was planned; run pulumi up again")
    return publish(
        f"https://{props['app']}.scm.azurewebsites.net", artifact, DefaultAzureCredential().get_token(SCOPE).token
    )


class Code(dynamic.Resource):
    """The artifact on one app; deployed again when its bytes change. No credential enters the state."""

    def __init__(
        self, name: str, *, app: pulumi.Input[str], path: str, digest: str, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(_Provider(), name, {"app": app, "path": path, "digest": digest, "deployment": None}, opts)
