"""The artifact: same input, same bytes, and nothing of the other cloud."""

import importlib.util
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from api.manifest import SERVICE
from tests.copies.copy import ROOT, Copy
from twofold.deploy import package
from twofold.manifest import ServiceManifest

OTHER = {"aws": "azure", "azure": "aws"}
SDK = {"aws": ("azure/", "azure_"), "azure": ("boto3/", "botocore/", "mangum/")}


@pytest.fixture(scope="module")
def built(tmp_path_factory, cloud):
    return package.build(SERVICE, cloud, Copy(tmp_path_factory.mktemp(cloud) / "here").folder)


def test_the_same_input_gives_the_same_bytes_anywhere(built, tmp_path, cloud):
    elsewhere = Copy(tmp_path / "elsewhere").folder
    (elsewhere / "api/__pycache__").mkdir(exist_ok=True)
    (elsewhere / "api/__pycache__/x.pyc").write_bytes(b"x")
    second = package.build(SERVICE, cloud, elsewhere)
    assert second.digest == built.digest and second.path.read_bytes() == built.path.read_bytes()
    (elsewhere / "api/app.py").write_text("changed = True\n")
    assert package.build(SERVICE, cloud, elsewhere).digest != built.digest


def test_it_holds_what_the_service_needs_and_nothing_of_the_other_cloud(built, cloud):
    names = zipfile.ZipFile(io.BytesIO(built.path.read_bytes())).namelist()
    site = package.SITE_PACKAGES.get(cloud, "")
    entry = {"aws": "lambda_function.py", "azure": "function_app.py"}
    assert {entry[cloud], "api/app.py", "twofold.artifact.json", f"{site}twofold/{cloud}/door.py"} <= set(names)
    assert {f"{site}fastapi/__init__.py", f"{site}pydantic_core/__init__.py"} <= set(names)
    inside = [name.removeprefix(site) for name in names]
    left_out = ("deploy", "testing", "cli", "emulators", OTHER[cloud])
    assert not [name for name in inside if name.startswith(tuple(f"twofold/{part}/" for part in left_out))]
    assert not [name for name in inside if name.startswith((*SDK[cloud], "pulumi", "tests/", "stacks/", "pytest"))]
    assert entry[OTHER[cloud]] not in names and not [name for name in names if name.endswith((".env", "settings.json"))]


def test_every_module_is_compiled_and_none_that_is_stale_runs(built, cloud, tmp_path):
    with zipfile.ZipFile(built.path) as archive:
        names = set(archive.namelist())
        sources = {name for name in names if name.endswith(".py")}
        assert {importlib.util.cache_from_source(name) for name in sources} == names - {
            name for name in names if not name.endswith(".pyc")
        }
        archive.extractall(tmp_path)
    site = tmp_path / package.SITE_PACKAGES.get(cloud, "")
    compiled = Path(importlib.util.cache_from_source(str(site / "twofold/errors.py")))
    assert int.from_bytes(compiled.read_bytes()[4:8], "little") == 0b11  # by hash, and looked at (PEP 552)
    (site / "twofold/__init__.py").write_text("print('changed')\n")
    command = [sys.executable, "-I", "-B", "-c", f"import sys; sys.path.insert(0, {str(site)!r}); import twofold"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout == "changed\n", done.stderr


def test_it_can_not_sign_or_take_a_checkouts_tokens(built, cloud):
    site = package.SITE_PACKAGES.get(cloud, "")
    names = set(zipfile.ZipFile(built.path).namelist())
    assert {f"{site}joserfc/jws.py", f"{site}twofold/http/auth.py", f"{site}twofold/local/drivers.py"} <= names
    assert not [name for name in names if name.startswith(f"{site}twofold/local/issuer")]


def test_its_native_code_is_for_the_target(built):
    names = [name for name in zipfile.ZipFile(built.path).namelist() if name.endswith(".so")]
    assert names and all("x86_64-linux-gnu" in name or ".abi3." in name for name in names), names


def test_its_marker_says_what_it_is(built, cloud):
    marker = json.loads(zipfile.ZipFile(built.path).read("twofold.artifact.json"))
    assert (marker["service"], marker["cloud"]) == ("orders", cloud)


def test_a_missing_file_is_named(tmp_path):
    (tmp_path / "requirements").mkdir()
    manifest = ServiceManifest("x", app="x:y", packages=("nothing",))
    with pytest.raises(package.PackageError, match=r"aws\.txt is missing.*make lock"):
        package.build(manifest, "aws", tmp_path)
    with pytest.raises(package.PackageError, match=r"lambda_function\.py is missing"):
        package.build(manifest, "aws", tmp_path, dependencies=tmp_path / "requirements")
    with pytest.raises(package.PackageError, match="nothing"):
        (tmp_path / "lambda_function.py").touch()
        package.build(manifest, "aws", tmp_path, dependencies=tmp_path / "requirements")


def test_the_locks_hold_hashes_and_no_address():
    for lock in (ROOT / "requirements").glob("*.txt"):
        lines = [line for line in lock.read_text().splitlines() if line and not line.lstrip().startswith("#")]
        assert all("://" not in line and "index" not in line.partition("=")[0] for line in lines), lock
        pins = [line for line in lines if not line.startswith(" ")]
        assert all("==" in line and line.endswith("\\") for line in pins), lock
