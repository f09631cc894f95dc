"""A build whose inputs are the same gives back the zip that is there; it is what a build would make, or it is built again."""

import re
import subprocess

import pytest

from tests.copies.copy import ROOT
from twofold.deploy import package, size
from twofold.manifest import ServiceManifest

MANIFEST = ServiceManifest("small", app="svc.main:app", packages=("svc",))
LOCK = "requirements/aws.txt"


@pytest.fixture
def service(tmp_path, monkeypatch):
    """A service with one small dependency; its wheels go to a cache of its own, fetched from uv's."""
    pin = re.search(r"^annotated-types==.*?(?=^[a-z])", (ROOT / LOCK).read_text(), re.MULTILINE | re.DOTALL)
    uv = package._uv()
    fetched = subprocess.run([uv, "cache", "dir"], capture_output=True, text=True, check=True).stdout.strip()
    monkeypatch.setenv("UV_CACHE_DIR", fetched)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name, text in {LOCK: pin[0], "lambda_function.py": "", "svc/main.py": "app = None\n"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def build(service, cloud="aws"):
    """The artifact, and whether a zip was made for it."""
    steps: list[str] = []
    artifact = package.build(MANIFEST, cloud, service, progress=steps.append)
    return artifact, any("into the zip" in step for step in steps)


def test_the_same_inputs_give_the_same_bytes_with_and_without_a_build(service):
    first, fresh = build(service)
    data = first.path.read_bytes()
    assert fresh and build(service) == (first, False) and first.path.read_bytes() == data
    for path in (service / ".build").iterdir():
        path.unlink()
    assert build(service) == (first, True) and first.path.read_bytes() == data


def source(service, _):
    (service / "svc/main.py").write_text("app = 1\n")


def more_source(service, _):
    (service / "svc/data.txt").touch()


def entry(service, _):
    (service / "lambda_function.py").write_text("# another\n")


def lock(service, _):
    (service / LOCK).write_text((service / LOCK).read_text() + "\n")


def kit(_, monkeypatch):
    monkeypatch.setattr(package.twofold, "__version__", "9.9.9")


def kits_own_files(service, monkeypatch):
    (service / "kit/twofold").mkdir(parents=True)
    (service / "kit/twofold/__init__.py").touch()
    monkeypatch.setattr(package.twofold, "__file__", str(service / "kit/twofold/__init__.py"))


def python(_, monkeypatch):
    monkeypatch.setattr(package, "RELEASE", "3.13.99")


def compressor(_, monkeypatch):
    monkeypatch.setattr(package.zlib, "ZLIB_RUNTIME_VERSION", "9")


def trimming(service, monkeypatch):
    (service / "trim.py").touch()
    monkeypatch.setattr(package.trim, "__file__", str(service / "trim.py"))


def limits(_, monkeypatch):
    monkeypatch.setitem(size.LIMITS, "aws", (1 << 30, 1 << 30))


def damage(service, _):
    (zipped,) = (service / ".build").glob("*.zip")
    zipped.write_bytes(zipped.read_bytes()[:-1] + b"x")


def loss(service, _):
    (zipped,) = (service / ".build").glob("*.zip")
    zipped.unlink()


def torn_record(service, _):
    record = service / ".build/small-aws.last"
    record.write_text(record.read_text()[:80])


CHANGES = (source, more_source, entry, lock, kit, kits_own_files, python, compressor, trimming, limits)
SPOILT = (damage, loss, torn_record)


@pytest.mark.parametrize("change", CHANGES + SPOILT, ids=lambda change: change.__name__)
def test_what_changed_or_broke_is_built_again(service, monkeypatch, change):
    before, _ = build(service)
    data = before.path.read_bytes()
    change(service, monkeypatch)
    after, fresh = build(service)
    assert fresh and build(service) == (after, False)
    assert package._digest(after.path) == after.digest
    if change in SPOILT:
        assert after == before and after.path.read_bytes() == data


def test_each_cloud_has_a_last_build_of_its_own(service):
    for name, text in {
        "requirements/azure.txt": (service / LOCK).read_text(),
        "function_app.py": "",
        "host.json": "",
    }.items():
        (service / name).write_text(text)
    aws, azure = build(service), build(service, "azure")
    assert aws[1] and azure[1] and aws[0] != azure[0]
    assert (build(service), build(service, "azure")) == ((aws[0], False), (azure[0], False))


def test_a_given_folder_of_wheels_may_change_at_any_time(service):
    wheels = service / "wheels"
    wheels.mkdir()
    first = package.build(MANIFEST, "aws", service, dependencies=wheels)
    (wheels / "more.py").touch()
    assert package.build(MANIFEST, "aws", service, dependencies=wheels).digest != first.digest
