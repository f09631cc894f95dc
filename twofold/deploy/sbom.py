"""What an artifact is made of: a CycloneDX 1.6 document beside its zip, the same for the same artifact."""

import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from importlib import metadata
from pathlib import Path
from zipfile import ZipFile

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from twofold import __version__
from twofold.deploy.package import Artifact
from twofold.manifest import ServiceManifest

NAMESPACE = uuid.UUID("5b0a2a52-7a2c-5f5e-9b0e-2f3d3c0c7a11")


def write(manifest: ServiceManifest, artifact: Artifact) -> Path:
    """Writes `<artifact>.cdx.json`: every distribution that the zip holds, the kit among them, and the zip's SHA-256.

    Read from the zip itself, not from the lock, so that it tells what is deployed.
    """
    service = Component(
        name=manifest.name,
        version=artifact.digest[:16],
        type=ComponentType.APPLICATION,
        bom_ref=manifest.name,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=artifact.digest)],
    )
    bom = Bom(serial_number=uuid.uuid5(NAMESPACE, artifact.digest))
    bom.metadata.component = service
    bom.metadata.timestamp = datetime(1980, 1, 1, tzinfo=UTC)  # as the zip's: the same input, the same bytes
    kit = metadata.metadata("twofold")
    bom.components.update(
        [_component("twofold", __version__, kit.get("License-Expression")), *_distributions(artifact.path)]
    )
    bom.register_dependency(service, bom.components)
    path = artifact.path.with_suffix(".cdx.json")
    path.write_text(JsonV1Dot6(bom).output_as_string(indent=1) + "\n")
    return path


def _distributions(path: Path) -> Iterator[Component]:
    with ZipFile(path) as archive:
        for name in archive.namelist():
            if name.endswith(".dist-info/METADATA"):
                metadata = message_from_bytes(archive.read(name))
                yield _component(metadata["Name"], metadata["Version"], metadata.get("License-Expression"))


def _component(name: str, version: str, license: str | None) -> Component:
    name = re.sub(r"[-_.]+", "-", name).lower()  # PEP 503
    url = PackageURL("pypi", None, name, version)
    licenses = [LicenseFactory().make_from_string(license)] if license else []
    return Component(name=name, version=version, purl=url, bom_ref=str(url), licenses=licenses)
