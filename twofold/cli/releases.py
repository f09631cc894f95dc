"""`twofold releases` and `twofold rollback`: what a stack has run, and bringing it back without Pulumi."""

import importlib
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from twofold.cli.stack import StackError, outputs
from twofold.deploy import package, releases
from twofold.deploy.config import clouds
from twofold.manifest import ServiceManifest

console = Console()


class Stack:
    """A stack's releases, found by its outputs. Raises StackError."""

    def __init__(self, cloud: str, environment: str) -> None:
        if cloud not in clouds():
            raise StackError(f"--cloud is {cloud!r}; allowed: {', '.join(clouds())}")
        self.cloud, self.name = cloud, f"{environment}-{cloud}"
        self.outputs = outputs(self.name)
        url, units = self.outputs.get("releases_url"), self.outputs.get("units")
        if not url or not isinstance(units, dict):
            raise StackError(
                f"the stack {self.name} tells no releases: it was deployed by an earlier kit; run pulumi up"
            )
        self.units = units
        home: Any = importlib.import_module(f"twofold.deploy.{cloud}.releases")
        self.releases: releases.Releases = home.Releases(url, units)


def show(stack: Stack) -> None:
    """Prints the releases, the last one first."""
    table = Table("digest", "deployed", "live")
    for one in stack.releases.read():
        live = "live" if len(one.live) == len(stack.units) else ", ".join(one.live)
        table.add_row(one.digest[:16], f"{one.when:%Y-%m-%d %H:%M:%S} UTC", live)
    console.print(table)


def fetch(stack: Stack, manifest: ServiceManifest, digest: str, root: Path) -> None:
    """Brings a release's artifact to where `twofold:artifact` looks for it."""
    release = releases.chosen(stack.releases.read(), digest)
    path = package.place(manifest, stack.cloud, release.digest, root)
    releases.write(path, stack.releases.fetch(release.digest))
    console.print(
        f"{path}\nto deploy it elsewhere: pulumi config set twofold:artifact {release.digest}", soft_wrap=True
    )


def roll_back(stack: Stack, wanted: str | None, *, yes: bool) -> None:
    """Lets every unit run an earlier release and tells what Pulumi now thinks."""
    known = stack.releases.read()
    release = releases.chosen(known, wanted)
    if len(release.live) == len(stack.units):
        console.print(f"{release.digest} is live already")
        return
    if not yes:
        typer.confirm(
            f"let {stack.name} run {release.digest[:16]}, deployed {release.when:%Y-%m-%d %H:%M}?", abort=True
        )
    stack.releases.activate(release.digest)
    console.print(f"every unit of {stack.name} runs {release.digest}", soft_wrap=True)
    if stack.outputs.get("artifact") == release.digest:
        console.print("Pulumi's state says so too")
        return
    console.print(
        f"Pulumi's state still says {stack.outputs.get('artifact')}: so that the next `pulumi up` does not bring it back,\n"
        f"  pulumi config set twofold:artifact {release.digest} --stack {stack.name}",
        soft_wrap=True,
    )
