"""`twofold dev`: the service on this machine as it is at home or in a cloud, started anew at each change of its files."""

import asyncio
import importlib.util
import os
import signal
import socket
import subprocess
import sys
from contextlib import AbstractContextManager, closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from rich.table import Table

from twofold.cli.changes import Changes
from twofold.cli.dev_service import Service, console
from twofold.driver_registry import open_driver
from twofold.emulators.output import Output
from twofold.errors import SecretNotFound, TwofoldError
from twofold.local.door import HOST, PortTaken, announce
from twofold.manifest import ServiceManifest
from twofold.portable.secret_store import SecretStore
from twofold.settings import PREFIX, Settings

if TYPE_CHECKING:
    from twofold.emulators.dev_environment import DevEnvironment

NEEDED = {
    "local": ("watchfiles",),
    "azure": ("watchfiles", "cryptography", "azure_functions_runtime", "azure.cosmos", "azure.storage.queue"),
    "aws": ("watchfiles", "ministack", "awslambdaric", "boto3", "mangum"),
}
"""The modules that each is served with; no other cloud's are looked for."""
LOOK_SECONDS = 0.2
"""How often it is looked whether something has died."""
MANIFEST_SECONDS = 30
"""A manifest whose import takes longer is broken."""


def serve(manifest: ServiceManifest, target: str, cloud: str, root: Path, port: int) -> None:
    """Serves until SIGINT, SIGTERM or the terminal's end. A change under the manifest's packages is live at once; when the
    manifest itself changes, everything starts anew, and what the emulators held is gone.

    Raises TwofoldError for what is missing, `PortTaken` too; and for an emulator that dies again and again.
    """
    _require(cloud)
    _require_port(port)
    _end_on_signals()
    output = Output(root, root / ".build" / f"dev-{cloud}.log", lambda line: print(line, file=sys.stderr))
    try:
        with closing(output), _environment(manifest, target, cloud, root, port, output.fd) as environment:
            restart_port = _serve(manifest, target, cloud, root, environment, output)
    except KeyboardInterrupt:
        restart_port = 0
    if restart_port:
        command = [sys.executable, "-m", "twofold.cli.main", "dev", "--cloud", cloud]
        command += ["--port", str(restart_port), "--manifest", target]
        os.execv(sys.executable, command)  # noqa: S606 - ourselves


def _end_on_signals() -> None:
    """Each ends this command in its own order, once: a second one would leave what is not ended yet."""
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup stays what it is
        numbers.append(signal.SIGHUP)

    def end(number: int, frame: object) -> None:
        for one in numbers:
            signal.signal(one, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in numbers:
        signal.signal(number, end)


def _serve(
    manifest: ServiceManifest, target: str, cloud: str, root: Path, environment: "DevEnvironment", output: Output
) -> int:
    """Serves until the manifest changes, and then returns the port."""
    from twofold.emulators.dev_environment import Pumps

    _show(environment)
    changes = Changes(root / name for name in manifest.packages)
    service = Service(environment, output, partial(_wrong, target, root), lambda: changes.waiting)
    service.start()
    variables = root / ".build" / f"dev-{cloud}.env"
    variables.write_text("".join(f"export {name}='{value}'\n" for name, value in environment.environ.items()))
    announce(manifest, environment.url, own=not os.environ.get(PREFIX + "OIDC_ISSUER"))
    if environment.environ:
        console.print(f"for commands in another terminal:  . {variables.relative_to(root)}")
    origin = importlib.util.find_spec(target.partition(":")[0])
    declared = Path(origin.origin).resolve() if origin and origin.origin else None
    pumps = Pumps(
        environment.sources, lambda text: console.print(f"[yellow]a delivery failed[/]  {text}"), lambda: service.fine
    )
    try:
        while True:
            if not (names := sorted(changes.next(LOOK_SECONDS))):
                service.look()
                continue
            changed = ", ".join(os.path.relpath(name, root) for name in names[:3]) + (" …" if len(names) > 3 else "")
            if declared is None or declared not in (Path(name).resolve() for name in names):
                service.start(changed)
            elif wrong := _wrong(target, root):
                service.refuse(wrong)
            else:
                console.print(f"[bold]{changed}[/] changed: all of it starts anew")
                return httpx.URL(environment.url).port or 0
    finally:
        pumps.close()
        changes.close()


def _environment(
    manifest: ServiceManifest, target: str, cloud: str, root: Path, port: int, log: int
) -> "AbstractContextManager[DevEnvironment]":
    if cloud == "local":
        from twofold.emulators import local

        return local.environment(target, root, port, log)
    secrets = asyncio.run(_secrets(manifest, root))
    if cloud == "azure":
        from twofold.emulators import azure

        return azure.environment(manifest, root, port, secrets, log)
    from twofold.emulators import aws

    return aws.environment(manifest, root, port, secrets, log)


def _require_port(port: int) -> None:
    try:
        socket.create_server((HOST, port)).close()
    except OSError as exc:
        raise PortTaken(f"port {port} can't be had ({exc.strerror}); choose another with --port") from exc


def _require(cloud: str) -> None:
    if cloud not in NEEDED:
        raise TwofoldError(f"--cloud {cloud!r} is not one of {', '.join(NEEDED)}")
    missing = []
    for module in NEEDED[cloud]:
        try:
            spec = importlib.util.find_spec(module)
        except ModuleNotFoundError:  # of its parent
            spec = None
        if spec is None:
            missing.append(module)
    if missing:
        raise TwofoldError(
            f"{', '.join(missing)} can't be imported; run: make dev CLOUD={cloud} (or install twofold[emulators,{cloud}])"
        )


async def _secrets(manifest: ServiceManifest, root: Path) -> dict[str, str]:
    """The values that `twofold secret set` put beside the service, for the emulated vault."""
    store = SecretStore(open_driver("secrets", Settings.load({}, manifest, root).secrets_url))
    values = {}
    for spec in manifest.secrets:
        try:
            values[spec.name] = await store.get(spec.name)
        except SecretNotFound:
            console.print(f"no value of {spec.name} here; run: twofold secret set {spec.name}")
    await store.close()
    return values


def _show(environment: "DevEnvironment") -> None:
    table = Table("what", "stands in", box=None)
    for part in environment.parts:
        table.add_row(*part)
    console.print(table)


def _wrong(target: str, root: Path) -> str:
    """Why the manifest can't be read as it is now, in a line; empty when it can be."""
    code = "import sys; from twofold.cli.service import manifest_of; sys.path.insert(0, '.'); manifest_of(sys.argv[1])"
    words, prefix = [sys.executable, "-c", code, target], f"can't read the manifest {target}"
    try:
        result = subprocess.run(words, cwd=root, capture_output=True, text=True, timeout=MANIFEST_SECONDS)  # noqa: S603
    except subprocess.TimeoutExpired:
        return f"{prefix}: it is still being imported after {MANIFEST_SECONDS} s"
    if not result.returncode:
        return ""
    lines = result.stderr.strip().splitlines()
    return lines[-1].partition(": ")[2] if lines else f"{prefix}: its import ended the process ({result.returncode})"
