"""The bill of materials: valid, reproducible, and exactly what the artifact's lock and the kit put into the zip."""

import json
import re

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from api.manifest import SERVICE
from tests.copies.copy import ROOT, Copy
from twofold import __version__
from twofold.deploy import package, sbom


def test_it_lists_what_is_in_the_artifact_and_is_reproducible(tmp_path, cloud):
    artifact = package.build(SERVICE, cloud, Copy(tmp_path / "a").folder)
    text = sbom.write(SERVICE, artifact).read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    bom = json.loads(text)
    assert bom["metadata"]["component"]["hashes"] == [{"alg": "SHA-256", "content": artifact.digest}]
    listed = {component["purl"] for component in bom["components"]}
    lock = (ROOT / "requirements" / f"{cloud}.txt").read_text()
    pinned = {
        f"pkg:pypi/{name}@{version}" for name, version in re.findall(r"^([a-z0-9-]+)==([^ ;\\]+)", lock, re.MULTILINE)
    }
    assert f"pkg:pypi/twofold@{__version__}" in listed
    # What a marker leaves out on the target (Windows' colorama) is in the lock and not in the zip.
    missing = pinned - listed
    assert listed - {f"pkg:pypi/twofold@{__version__}"} <= pinned
    assert all("==" + purl.rpartition("@")[2] + " ;" in lock for purl in missing), missing
    [flat] = [one for one in bom["dependencies"] if one["ref"] == "orders"]
    assert set(flat["dependsOn"]) == listed
    assert sbom.write(SERVICE, artifact).read_text() == text
