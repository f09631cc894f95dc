"""`twofold releases` and `twofold rollback`: what a stack has run, and bringing it back without Pulumi."""

import importlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.table import Table

from twofold.cli.console import console
from twofold.cli.output import acts, confirm
from twofold.cli.stack import StackError, outputs
from twofold.deploy import package, releases
from twofold.manifest import ServiceManifest


class Stack:
    """A stack's releases, found by its outputs. Raises StackError."""

    def __init__(self, cloud: str, environment: str) -> None:
        self.cloud, self.name = cloud, f"{environment}-{cloud}"
        self.outputs = outputs(self.name)
        url, units = self.outputs.get("releases_url"), self.outputs.get("units")
        if not url or not isinstance(units, dict):
            raise StackError(
                f"the stack {self.name} tells no releases: it was deployed by an earlier kit; run pulumi up"
            )
        self.units = units
        acts(self.name, str(url))
        home: Any = importlib.import_module(f"twofold.deploy.{cloud}.releases")
        self.releases: releases.Releases = home.Releases(url, units)


def known(stack: Stack) -> list[dict[str, Any]]:
    """The releases, the last one first."""
    return [
        {"digest": one.digest, "deployed_at": int(one.when.timestamp()), "live": one.live}
        for one in stack.releases.read()
    ]


def show(stack: Stack, known: Sequence[Mapping[str, Any]]) -> None:
    """Prints them."""
    table = Table("digest", "deployed", "live")
    for one in known:
        live = "live" if len(one["live"]) == len(stack.units) else ", ".join(one["live"])
        when = datetime.fromtimestamp(one["deployed_at"], UTC)
        table.add_row(one["digest"][:16], f"{when:%Y-%m-%d %H:%M:%S} UTC", live)
    console.print(table)


def fetch(stack: Stack, manifest: ServiceManifest, digest: str, root: Path) -> dict[str, str]:
    """Brings a release's artifact to where `twofold:artifact` looks for it."""
    release = releases.chosen(stack.releases.read(), digest)
    path = package.path_of(manifest, stack.cloud, release.digest, root)
    releases.write(path, stack.releases.fetch(release.digest))
    return {"digest": release.digest, "path": str(path)}


def show_fetched(release: Mapping[str, str]) -> None:
    """Prints what `fetch` returned."""
    text = f"{release['path']}\nto deploy it elsewhere: pulumi config set twofold:artifact {release['digest']}"
    console.print(text, soft_wrap=True)


def roll_back(stack: Stack, wanted: str | None, *, yes: bool) -> dict[str, Any]:
    """Lets every unit run an earlier release; tells what Pulumi now thinks."""
    release = releases.chosen(stack.releases.read(), wanted)
    changed = len(release.live) < len(stack.units)
    if changed:
        if not yes:
            confirm(f"let {stack.name} run {release.digest[:16]}, deployed {release.when:%Y-%m-%d %H:%M}?")
        stack.releases.activate(release.digest)
    in_state = stack.outputs.get("artifact")
    return {"stack": stack.name, "digest": release.digest, "changed": changed, "in_state": in_state}


def show_rolled_back(outcome: Mapping[str, Any]) -> None:
    """Prints what `roll_back` returned."""
    stack, digest, in_state = outcome["stack"], outcome["digest"], outcome["in_state"]
    if not outcome["changed"]:
        console.print(f"{digest} is live already")
        return
    console.print(f"every unit of {stack} runs {digest}", soft_wrap=True)
    if in_state == digest:
        console.print("Pulumi's state says so too")
        return
    console.print(
        f"Pulumi's state still says {in_state}: so that the next `pulumi up` does not bring it back,\n"
        f"  pulumi config set twofold:artifact {digest} --stack {stack}",
        soft_wrap=True,
    )
