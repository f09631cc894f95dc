"""A third cloud is one folder in `twofold/`, one in `twofold/deploy/`, one file in `stacks/`: done here, in a copy."""

import pytest

from tests.copies.copy import ROOT, Copy

DRIVERS = '''"""Scheme -> `open(url)` of the dummy cloud."""

DRIVERS = {"store": {"dummy": "twofold.dummy.document_store:open"}}
'''
STORE = '''"""Documents in a dictionary."""

from collections.abc import Sequence

from twofold.errors import Conflict
from twofold.portable.document_store import Delete, Document, Put, Write


def open(url: str) -> "DummyDriver":
    """The driver of `dummy://<anything>`."""
    return DummyDriver()


class DummyDriver:
    """See `DocumentDriver`."""

    system = "dummy"

    def __init__(self) -> None:
        self._stored: dict[tuple[str, str, str], Document] = {}
        self._minted = 0

    async def get(self, collection: str, partition: str, id: str, *, now: int) -> Document | None:
        """See `DocumentDriver`."""
        found = self._stored.get((collection, partition, id))
        return None if found is None or (found.expires_at is not None and found.expires_at <= now) else found

    async def query(
        self, collection: str, partition: str, *, start: str | None, end: str | None, after: str | None,
        limit: int, descending: bool, now: int,
    ) -> tuple[Document, ...]:  # fmt: skip
        """See `DocumentDriver`."""
        found = []
        for key in sorted(self._stored, key=lambda key: key[2].encode(), reverse=descending):
            id = key[2].encode()
            beyond = after is None or (id < after.encode() if descending else id > after.encode())
            inside = (start is None or id >= start.encode()) and (end is None or id < end.encode())
            document = await self.get(*key, now=now)
            if key[:2] == (collection, partition) and inside and beyond and document:
                found.append(document)
        return tuple(found[:limit])

    async def commit(self, collection: str, partition: str, writes: Sequence[Write], *, now: int) -> list[str | None]:
        """See `DocumentDriver`."""
        for write in writes:
            found = await self.get(collection, partition, write.id, now=now)
            kind, version = write.condition.kind, write.condition.version
            if (kind == "absent" and found) or (kind == "version" and (not found or found.version != version)):
                raise Conflict(partition, write.id)
        versions: list[str | None] = []
        for write in writes:
            key = (collection, partition, write.id)
            versions.append(None)
            if isinstance(write, Put):
                self._minted += 1
                versions[-1] = str(self._minted)
                self._stored[key] = Document(partition, write.id, write.body, str(self._minted), write.expires_at)
            elif isinstance(write, Delete):
                self._stored.pop(key, None)
        return versions

    async def ping(self) -> None:
        """See `DocumentDriver`."""

    async def close(self) -> None:
        """See `DocumentDriver`."""
'''
CONFORMANCE = '''"""The portability contract on the dummy cloud."""

import pytest

from twofold.driver_registry import open_driver
from twofold.testing import DocumentStoreConformance, EventStoreConformance


class _Dummy:
    @pytest.fixture(autouse=True)
    def _driver(self):
        self.driver = open_driver("store", "dummy://here")

    async def open_driver(self):
        return self.driver


class TestDocuments(_Dummy, DocumentStoreConformance):
    """Documents."""


class TestEvents(_Dummy, EventStoreConformance):
    """Events."""
'''
COMPONENT = '''"""Components for the dummy cloud."""

import pulumi


class Compute(pulumi.ComponentResource):
    """Nothing but a URL."""

    def __init__(self, name: str, *, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("twofold:dummy:Compute", name, None, opts)
        self.url = f"https://{name}.dummy.example"
        self.register_outputs({"url": self.url})
'''
STACK = '''"""Dummy: the table of contents."""

from pathlib import Path

import pulumi

from twofold.deploy import package
from twofold.deploy.config import StackConfig
from twofold.deploy.dummy import Compute
from twofold.manifest import ServiceManifest


def deploy(manifest: ServiceManifest, config: StackConfig, root: Path) -> dict[str, pulumi.Input[str]]:
    """Compute alone; returns the stack's outputs."""
    artifact = package.build(manifest, "dummy", root, dependencies=root / "requirements")
    return {"url": Compute(f"{manifest.name}-{config.environment}").url, "artifact": artifact.digest}
'''


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    copied = Copy(tmp_path_factory.mktemp("third"))
    copied.write("twofold/dummy/__init__.py", '"""The dummy cloud\'s drivers."""\n')
    copied.write("twofold/dummy/drivers.py", DRIVERS)
    copied.write("twofold/dummy/document_store.py", STORE)
    copied.write("twofold/deploy/dummy/__init__.py", COMPONENT)
    copied.write("stacks/dummy.py", STACK)
    aws = (copied.folder / "stacks/config/Pulumi.dev-aws.yaml").read_text()
    copied.write("stacks/config/Pulumi.dev-dummy.yaml", aws.replace("cloud: aws", "cloud: dummy"))
    copied.write("tests/conformance/test_dummy.py", CONFORMANCE)
    copied.replace(
        "pyproject.toml", '"twofold.aws", "twofold.azure"', '"twofold.aws", "twofold.azure", "twofold.dummy"'
    )
    return copied


def test_its_drivers_conform(copy):
    assert "passed" in copy.run("python", "-m", "pytest", "tests/conformance/test_dummy.py")


CLOUDS = ("tests/unit/test_settings.py", "tests/unit/deploy/test_config.py", "tests/unit/deploy/test_triggers.py")
"""Of what asks which clouds there are."""


@pytest.mark.parametrize(
    "files", [CLOUDS, pytest.param(("tests/unit",), marks=pytest.mark.deep)], ids=["clouds", "all"]
)
def test_the_rest_still_passes(copy, files):
    assert "passed" in copy.run("python", "-m", "pytest", "--ignore=tests/unit/drivers", *files)


def test_the_rules_still_hold(copy):
    copy.run("ruff", "check", ".")
    copy.run("ruff", "format", "--check", ".")
    copy.run("lint-imports")


@pytest.mark.deep  # without a cache of the libraries, types alone take minutes
def test_its_types_fit(copy):
    copy.run("mypy", "--cache-dir", str(ROOT / ".mypy_cache"))  # what is known of the libraries, from `make check`


def test_its_stack_deploys_and_the_others_still_do(copy, tmp_path):
    done = copy.deploy("dummy", tmp_path / "dummy")
    assert done["outputs"]["url"] == "https://orders-dev.dummy.example"
    done = copy.deploy("aws", tmp_path / "aws")
    assert done["resources"]["aws:dynamodb/table:Table"] == 2
