"""Collections: what the manifest names is there in each place, and nothing else is, before any backend is asked."""

from types import SimpleNamespace

import httpx
import pytest

from tests.emulators.fixtures import DUMMY
from tests.fakes.credential import StaticCredential
from twofold.azure import document_store as cosmos
from twofold.bootstrap import bootstrap
from twofold.emulators import aws
from twofold.emulators.cosmos import CosmosFake
from twofold.errors import ProfileError
from twofold.http import problem
from twofold.manifest import ServiceManifest
from twofold.portable.document_store import DocumentStore
from twofold.settings import Settings

MANIFEST = ServiceManifest("notes", app="x:y", blocks=frozenset({"documents"}), collections=("notes",))


@pytest.fixture(params=["local", "azure", "aws"])
def services(request, tmp_path, monkeypatch):
    """The blocks where `twofold dev` makes what the manifest names."""
    environ, driver = {"TWOFOLD_STORE_URL": f"sqlite:///{tmp_path}/store.db"}, None
    if request.param == "aws":
        for name, value in DUMMY.items():
            monkeypatch.setenv(name.upper(), value)
        environ = aws.provision(
            MANIFEST,
            request.getfixturevalue("ministack"),
            request.getfixturevalue("dynamodb"),
            tmp_path.name.strip("_").lower(),
            {},
        )
    if request.param == "azure":
        fake = CosmosFake()
        request.addfinalizer(fake.close)
        driver = cosmos.from_url(fake.create(MANIFEST.name, *MANIFEST.store_collections), StaticCredential())
    return bootstrap(Settings.load(environ, MANIFEST, tmp_path), MANIFEST, document_driver=driver)


async def test_its_own_is_a_collection_and_another_name_is_refused(services):
    documents = services.documents
    await documents.put("notes", "p", "1", {"text": "a"})
    await documents.put("documents", "p", "1", {"text": "b"})
    assert [(await documents.get(name, "p", "1")).body["text"] for name in ("notes", "documents")] == ["a", "b"]
    for call in (
        lambda: documents.get("others", "p", "1"),
        lambda: documents.put("others", "p", "1", {}),
        lambda: documents.delete("others", "p", "1"),
        lambda: documents.query("events", "p"),
        lambda: anext(documents.scan("others")),
    ):
        with pytest.raises(ProfileError, match=r"no collection '(others|events)'.*documents, notes"):
            await call()
    await services.close()


async def test_it_is_the_services_mistake_not_the_callers(caplog):
    async def app(scope, receive, send):
        await DocumentStore(SimpleNamespace(system="none"), ("documents",)).put("others", "p", "1", {})

    transport = httpx.ASGITransport(problem.boundary(app))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = await client.get("/")
    assert answer.status_code == 500 and "others" not in answer.text and "no collection 'others'" in caplog.text


async def test_a_service_without_a_store_has_none_here_either(tmp_path):
    plain = ServiceManifest("plain", app="x:y")
    services = bootstrap(Settings.load({}, plain, tmp_path), plain)
    with pytest.raises(ProfileError, match="no collection 'documents'"):
        await services.documents.get("documents", "p", "1")
    await services.close()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"collections": ("events",)}, "event store's"),
        ({"collections": ("leases",)}, "the feed's"),
        ({"collections": ("My_Notes",)}, "must match"),
        ({"collections": tuple("abcdef")}, "at most 5"),
        ({"collections": ("notes",), "blocks": frozenset()}, "need the block 'documents'"),
    ],
)
def test_the_manifest_refuses_what_no_store_has(changes, message):
    with pytest.raises(ValueError, match=message):
        ServiceManifest("notes", **{"app": "x:y", "blocks": frozenset({"documents"}), **changes})


def test_documents_is_always_there():
    assert MANIFEST.store_collections == ("documents", "notes")
    assert ServiceManifest("x", app="x:y", blocks=frozenset({"events", "documents"})).store_collections == (
        "documents",
        "events",
    )
    assert ServiceManifest("x", app="x:y").store_collections == ()
