"""`twofold build`: a cloud's artifact, how big it is, and a container image of it."""

import dataclasses
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.table import Table

from twofold.cli import check, tools
from twofold.cli.console import aside, console
from twofold.cli.output import tell
from twofold.deploy import package, size
from twofold.errors import TwofoldError
from twofold.manifest import ServiceManifest


class BuildError(TwofoldError):
    """It can't be built here."""


def build(manifest: ServiceManifest, cloud: str, root: Path, *, report: bool, as_json: bool, image: bool) -> None:
    """Builds the artifact and tells what it is. Raises BuildError; TwofoldError for a service that is not whole."""
    check.require(manifest, root)
    try:
        with _shown() as status:
            artifact = package.build(manifest, cloud, root, progress=status)
            dependencies = package.install(root / "requirements" / f"{cloud}.txt")
            measured = size.measure(artifact.path, manifest, package.SITE_PACKAGES.get(cloud, ""), dependencies)
    except package.PackageError as exc:
        raise BuildError(str(exc)) from exc
    limits = dict(zip(("packed", "unpacked"), size.LIMITS.get(cloud, ()), strict=False))

    def show(facts: dict[str, Any]) -> None:
        console.print(f"{facts['path']}\nsha256 {facts['digest']}", soft_wrap=True, highlight=False)
        if report:
            console.print(_table(measured))
        for kind, what in (("packed", "in the zip"), ("unpacked", "unpacked")):
            of = f" of the {_mib(limits[kind])} that {cloud} takes" if kind in limits else ""
            console.print(f"{_mib(facts[kind])} {what}{of}", highlight=False)

    facts = {"path": str(artifact.path), "digest": artifact.digest, "limits": limits, **dataclasses.asdict(measured)}
    tell(facts, show, as_json=as_json)
    if image:
        _image(manifest, cloud, artifact, root)


def _table(measured: size.Size) -> Table:
    table = Table("package", title=f"{len(measured.shares)} packages")
    for column in ("in the zip", "unpacked", "share"):
        table.add_column(column, justify="right")
    for one in measured.shares:
        share = one.packed / measured.packed
        table.add_row(one.package, _mib(one.packed), _mib(one.unpacked), f"{share:.1%}")
    return table


def _mib(count: int) -> str:
    return f"{count / size.MIB:.2f} MiB"


@contextmanager
def _shown() -> Iterator[package.Progress]:
    with aside.status("the artifact") as status:
        yield status.update


def _image(manifest: ServiceManifest, cloud: str, artifact: package.Artifact, root: Path) -> None:
    file = root / f"Dockerfile.{cloud}"
    if not file.is_file():
        raise BuildError(f"{file} is missing: it says how the image of {cloud} is made")
    engine = tools.engine()
    tag = f"{manifest.name}-{cloud}:{artifact.digest[:16]}"
    command = [
        engine, "build", "--platform", "linux/amd64", "--file", str(file), "--tag", tag,
        "--build-arg", f"ARTIFACT={artifact.path.relative_to(root)}", "--build-arg", f"DIGEST={artifact.digest}", str(root),
    ]  # fmt: skip
    if subprocess.run(command, stdout=sys.stderr).returncode:  # noqa: S603 - our own arguments
        raise BuildError(f"{engine} could not build {tag}: see above")
    aside.print(f"{tag}: push it to your registry and set twofold:image to its digest there", soft_wrap=True)
