"""How big an artifact is, package by package, and what a cloud would not take."""

from collections import defaultdict
from dataclasses import dataclass
from importlib import metadata
from importlib.util import source_from_cache
from pathlib import Path
from zipfile import ZipFile

import twofold
from twofold.manifest import ServiceManifest

MIB = 2**20
LIMITS = {"aws": (50 * MIB, 250 * MIB)}
"""Bytes of the zip and of what is in it: Lambda's quotas for a direct upload. Azure names none for Flex Consumption."""
LARGEST = 5


@dataclass(frozen=True, slots=True)
class Share:
    """What one package has of an artifact, in bytes: its files in the zip, and unpacked."""

    package: str
    packed: int
    unpacked: int


@dataclass(frozen=True, slots=True)
class Size:
    """An artifact's bytes: of the whole zip, of all it holds, and by package, the largest first."""

    packed: int
    unpacked: int
    shares: tuple[Share, ...]


def measure(path: Path, manifest: ServiceManifest, site: str, dependencies: Path) -> Size:
    """Reads it from the zip; whose file it is, from the records of the installed `dependencies`."""
    owners: dict[str, str] = {}
    for distribution in metadata.distributions(path=[str(dependencies)]):
        owner = f"{distribution.name} {distribution.version}"  # each of them parses the whole METADATA
        owners |= {str(file): owner for file in distribution.files or ()}
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    with ZipFile(path) as archive:
        for info in archive.infolist():
            owner = _owner(info.filename, manifest, site, owners)
            sums[owner][0] += info.compress_size
            sums[owner][1] += info.file_size
    shares = sorted((Share(owner, *pair) for owner, pair in sums.items()), key=lambda one: one.packed, reverse=True)
    return Size(path.stat().st_size, sum(one.unpacked for one in shares), tuple(shares))


def exceeds(cloud: str, packed: int, unpacked: int) -> bool:
    """Whether the cloud would not take so many bytes."""
    return any(size > limit for size, limit in zip((packed, unpacked), LIMITS.get(cloud, ()), strict=False))


def refusal(cloud: str, size: Size) -> str:
    """One line that says why the cloud would not take it, and which packages are largest."""
    limits = LIMITS[cloud]
    kind, what, limit = (
        ("packed", "zipped", limits[0]) if size.packed > limits[0] else ("unpacked", "unpacked", limits[1])
    )
    bytes_: dict[str, int] = {share.package: getattr(share, kind) for share in size.shares}
    largest = sorted(bytes_, key=bytes_.__getitem__, reverse=True)[:LARGEST]
    return (
        f"the artifact has {getattr(size, kind) / MIB:.1f} MiB {what}, and {cloud} takes {limit / MIB:.0f}; the largest are "
        f"{', '.join(f'{name} {bytes_[name] / MIB:.1f}' for name in largest)}: leave something out, or deploy a container "
        "image (twofold:image)"
    )


def _owner(name: str, manifest: ServiceManifest, site: str, owners: dict[str, str]) -> str:
    inside = name.removeprefix(site)
    if inside.startswith("twofold/"):
        return f"twofold {twofold.__version__}"
    source = source_from_cache(inside) if inside.endswith(".pyc") else inside
    return owners.get(source, manifest.name)
