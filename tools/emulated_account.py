"""`pulumi up` of the stack dev-aws with the real AWS provider, onto an account that ministack emulates on this machine.

The account is on http://127.0.0.1:4566 until Ctrl-C, and with it goes what is in it; no real account is asked for anything.
The provider, like every AWS SDK, is told where by `AWS_ENDPOINT_URL`, so that neither program nor config knows of it.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import yaml
from pulumi import automation

sys.path.insert(0, str(Path(__file__).parents[1]))

from tools import pulumi_cli
from twofold.emulators import ministack
from twofold.emulators.cache import MissingTool

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".build" / "emulated"
LOG = FOLDER.with_suffix(".log")
PORT = int(os.environ.get("GATEWAY_PORT", "4566"))
ENVIRON = {
    "AWS_ENDPOINT_URL": f"http://127.0.0.1:{PORT}", "AWS_ACCESS_KEY_ID": "emulated", "AWS_SECRET_ACCESS_KEY": "emulated",
    **ministack.environ(PORT),
    "PULUMI_BACKEND_URL": f"file://{FOLDER}", "PULUMI_CONFIG_PASSPHRASE": "emulated",
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
}  # fmt: skip


def main(cloud: str = "") -> None:
    """Serves the account and the stack in it until it is interrupted; MissingTool says what can't be had."""
    if cloud != "aws":
        raise MissingTool(
            f"EMULATED=1 is for CLOUD=aws, not {cloud!r}: nothing emulates Resource Manager for the other's provider"
        )
    cli = pulumi_cli.find()
    os.environ.update(ENVIRON, PATH=f"{cli.parent}{os.pathsep}{ENVIRON['PATH']}")
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):  # no real login reaches it
        os.environ.pop(name, None)
    require_provider()
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", PORT)) == 0:
            raise MissingTool(f"port {PORT} is taken; end what listens there, or set GATEWAY_PORT to another")
    for end in (signal.SIGINT, signal.SIGTERM):
        signal.signal(end, signal.default_int_handler)
    LOG.parent.mkdir(exist_ok=True)
    # ministack leaves behind what it unpacks.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as unpacked, LOG.open("w") as log:
        account = subprocess.Popen(ministack.command(), env=os.environ | {"TMPDIR": unpacked}, stdout=log, stderr=log)
        try:
            serve(account)
        except KeyboardInterrupt:
            pass
        finally:
            account.terminate()
            account.wait()


def serve(account: subprocess.Popen[bytes]) -> None:
    """Brings the stack up and tells how to reach it, until the account ends."""
    wait_for(account)
    host = up()["url"].removeprefix("http://")
    print(f"\nIn another terminal: curl -H 'Host: {host}' {ENVIRON['AWS_ENDPOINT_URL']}/health/ready")
    print(f"The account is at {ENVIRON['AWS_ENDPOINT_URL']}, its log in {LOG}; Ctrl-C ends it.", flush=True)
    account.wait()


def require_provider() -> None:
    """MissingTool unless the AWS provider's plugin is installed in the SDK's version, or one is on PATH."""
    wanted = version("pulumi-aws")
    installed = automation.LocalWorkspace().list_plugins()
    if shutil.which("pulumi-resource-aws") or any(
        plugin.name == "aws" and str(plugin.version).removeprefix("v") == wanted for plugin in installed
    ):
        return
    raise MissingTool(f"the AWS provider's plugin is missing; run: pulumi plugin install resource aws {wanted}")


def wait_for(account: subprocess.Popen[bytes]) -> None:
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", PORT)) == 0:
                return
        if account.poll() is not None:
            raise MissingTool(f"ministack did not start; what it said is in {LOG}")
        time.sleep(0.1)


def up() -> dict[str, str]:
    """Deploys the program with the config of dev-aws; its outputs. The state is as new as the account."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    from stacks.program import main as program

    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())
    stored = yaml.safe_load((ROOT / project["stackConfigDir"] / "Pulumi.dev-aws.yaml").read_text())["config"]
    stack = automation.create_or_select_stack(
        "dev-aws",
        project_name=project["name"],
        program=program,
        opts=automation.LocalWorkspaceOptions(work_dir=str(FOLDER)),
    )
    stored["twofold:oidcIssuer"] = "https://issuer.test"  # the emulated gateway asks nobody
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in stored.items()}
    stack.set_all_config({key: automation.ConfigValue(text) for key, text in texts.items()})
    try:
        result = stack.up(on_output=print)
    except automation.CommandError:
        raise MissingTool("the update failed; what the engine said is above") from None
    return {name: output.value for name, output in result.outputs.items()}


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except MissingTool as exc:
        sys.exit(str(exc))
