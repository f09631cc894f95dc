"""`twofold dev`: the service on this machine as it is at home or in a cloud, started anew at each change of its files."""

import asyncio
import importlib.util
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from rich.console import Console
from rich.table import Table

from twofold.driver_registry import open_driver
from twofold.errors import SecretNotFound, TwofoldError
from twofold.local.door import HOST, PortTaken, announce
from twofold.manifest import ServiceManifest
from twofold.portable.secret_store import SecretStore
from twofold.settings import PREFIX, Settings

if TYPE_CHECKING:
    from twofold.emulators.place import Place

NEEDED = {
    "local": ("watchfiles",),
    "azure": ("watchfiles", "cryptography", "azure_functions_runtime", "azure.cosmos", "azure.storage.queue"),
    "aws": ("watchfiles", "ministack", "awslambdaric", "boto3", "mangum"),
}
"""The modules that each is served with; no other cloud's are looked for."""
START_SECONDS = 30
DEBOUNCE_MS = 50
MEND = "mend it: the next change starts it again"

console = Console(stderr=True, soft_wrap=True)


def serve(manifest: ServiceManifest, target: str, cloud: str, root: Path, port: int) -> None:
    """Serves until SIGINT or SIGTERM. A change under the manifest's packages is live at once; when the manifest itself
    changes, everything starts anew, and what the emulators held is gone.

    Raises TwofoldError for what is missing, `PortTaken` too.
    """
    _require(cloud)
    _require_port(port)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    anew = 0
    with suppress(KeyboardInterrupt), _place(manifest, target, cloud, root, port) as place:
        anew = _serve(manifest, target, cloud, root, place)
    if anew:
        again = ["-m", "twofold.cli.main", "dev", "--cloud", cloud, "--port", str(anew), "--manifest", target]
        os.execv(sys.executable, [sys.executable, *again])  # noqa: S606 - ourselves


def _serve(manifest: ServiceManifest, target: str, cloud: str, root: Path, place: "Place") -> int:
    """Serves until the manifest changes, and then returns the port."""
    from watchfiles import watch

    from twofold.emulators.place import Pumps

    _show(place)
    fine = _await(place)
    (root / ".build").mkdir(exist_ok=True)
    variables = root / ".build" / f"dev-{cloud}.env"
    variables.write_text("".join(f"export {name}='{value}'\n" for name, value in place.environ.items()))
    announce(manifest, place.url, own=not os.environ.get(PREFIX + "OIDC_ISSUER"))
    if place.environ:
        console.print(f"for commands in another terminal:  . {variables.relative_to(root)}")
    origin = importlib.util.find_spec(target.partition(":")[0])
    declared = Path(origin.origin).resolve() if origin and origin.origin else None
    pumps = Pumps(place.sources, lambda text: console.print(f"[yellow]a delivery failed[/]  {text}"))
    folders = [root / name for name in manifest.packages]
    try:
        for changes in watch(*folders, debounce=DEBOUNCE_MS, step=10, rust_timeout=1000, yield_on_timeout=True):
            if not changes:
                if fine and place.host.ended:
                    console.print(f"[red]the service has ended[/]; what it said is above\n{MEND}")
                    fine = False
                continue
            names = sorted({path for _, path in changes})
            told = ", ".join(os.path.relpath(name, root) for name in names[:3]) + (" …" if len(names) > 3 else "")
            if declared is None or declared not in (Path(name).resolve() for name in names):
                place.host.stop()
                fine = _await(place, told)
            elif _loads(target, root):
                console.print(f"[bold]{told}[/] changed: all of it starts anew")
                return httpx.URL(place.url).port or 0
    finally:
        pumps.close()
    return 0


def _place(
    manifest: ServiceManifest, target: str, cloud: str, root: Path, port: int
) -> "AbstractContextManager[Place]":
    if cloud == "local":
        from twofold.emulators import local

        return local.place(target, root, port)
    secrets = asyncio.run(_secrets(manifest, root))
    if cloud == "azure":
        from twofold.emulators import azure

        return azure.place(manifest, root, port, secrets)
    from twofold.emulators import aws

    return aws.place(manifest, root, port, secrets, sys.stderr)


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
            found = importlib.util.find_spec(module)
        except ModuleNotFoundError:  # of its parent
            found = None
        if found is None:
            missing.append(module)
    if missing:
        raise TwofoldError(
            f"{', '.join(missing)} can't be imported; run: make dev CLOUD={cloud} (or install twofold[emulators,{cloud}])"
        )


async def _secrets(manifest: ServiceManifest, root: Path) -> dict[str, str]:
    """The values that `twofold secret set` put beside the service, for the emulated vault."""
    store = SecretStore(open_driver("secrets", Settings.load({}, manifest, root).secrets_url))
    found = {}
    for spec in manifest.secrets:
        try:
            found[spec.name] = await store.get(spec.name)
        except SecretNotFound:
            console.print(f"no value of {spec.name} here; run: twofold secret set {spec.name}")
    await store.close()
    return found


def _show(place: "Place") -> None:
    table = Table("what", "stands in", box=None)
    for part in place.parts:
        table.add_row(*part)
    console.print(table)


def _await(place: "Place", changed: str = "") -> bool:
    """Waits until the service answers, started anew after a change, and tells how long that took; or why it does not."""
    started = time.monotonic()
    try:
        if changed:
            place.host.start()
        while (status := _status(place.url)) == 0:
            if place.host.ended or time.monotonic() - started > START_SECONDS:
                raise TwofoldError("it does not start; what it said is above")
        if status >= 500:
            raise TwofoldError(f"it answers {status}; what it said is above")
    except TwofoldError as exc:
        console.print(f"[red]{changed or 'the service'}[/]: {exc}\n{MEND}")
        return False
    if changed:
        console.print(f"[green]{changed}[/] is live after {time.monotonic() - started:.2f} s")
    place.host.prepare()
    return True


def _status(url: str) -> int:
    """What it answers; 0 as long as it does not."""
    try:
        return httpx.get(f"{url}/health/live", timeout=1).status_code
    except httpx.HTTPError:
        time.sleep(0.02)
        return 0


def _loads(target: str, root: Path) -> bool:
    """Whether the manifest can be read as it is now."""
    code = "import sys; from twofold.manifest import load; load(sys.argv[1])"
    done = subprocess.run([sys.executable, "-c", code, target], cwd=root, capture_output=True, text=True)  # noqa: S603
    if done.returncode:
        console.print(f"[red]the manifest {target} can't be read[/]: {done.stderr.strip().splitlines()[-1]}")
    return done.returncode == 0
