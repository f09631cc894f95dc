"""Files in a container, over the wire to Azurite with an Entra token: put there, changed, removed; and a role that comes late."""

import pytest
from azure.core.credentials import AccessToken
from azure.storage.blob import BlobServiceClient, ContainerClient

from twofold.deploy.azure import blobs
from twofold.deploy.azure.blobs import NO_ROLE_YET, UploadFailed, _Provider, synchronize
from twofold.deploy.retry import Retry
from twofold.deploy.static import FOREVER, content
from twofold.emulators.azurite import KEY
from twofold.emulators.managed_identity import storage_token
from twofold.emulators.server import Answer, FakeServer


class Login:
    """As DefaultAzureCredential: gives a token of the kind that Storage looks at."""

    def get_token(self, *scopes, **kwargs):
        assert scopes == ("https://storage.azure.com/.default",)
        return AccessToken(storage_token(), 4102444800)


@pytest.fixture
def container(azurite_services, request):
    name = "static-" + request.node.name.replace("_", "-")[:40].rstrip("-")
    with BlobServiceClient(azurite_services["blob"], KEY, connection_verify=False) as service:
        service.create_container(name)
    with ContainerClient(azurite_services["blob"], name, Login(), connection_verify=False) as client:
        yield client


def listed(folder):
    return {
        one.name: {"digest": one.digest, "type": one.content_type, "cache": one.cache_control}
        for one in content(folder.parent, folder.name).files
    }


def stored(container):
    return {blob.name: container.download_blob(blob.name).readall() for blob in container.list_blobs()}


@pytest.fixture
def site(tmp_path):
    (tmp_path / "site" / "img").mkdir(parents=True)
    for name in ("index.html", "app.3f9a1c2b.js", "img/a b+c%.svg"):
        (tmp_path / "site" / name).write_text(name)
    return tmp_path / "site"


def test_files_come_change_and_go(container, site):
    first = listed(site)
    synchronize(container, {}, first, site)
    assert set(stored(container)) == set(first)
    settings = container.get_blob_client("app.3f9a1c2b.js").get_blob_properties().content_settings
    assert (settings.content_type, settings.cache_control) == ("text/javascript; charset=utf-8", FOREVER)

    (site / "index.html").write_text("new")
    (site / "app.3f9a1c2b.js").unlink()
    before = container.get_blob_client("img/a b+c%.svg").get_blob_properties().etag
    second = listed(site)
    synchronize(container, first, second, site)
    assert stored(container) == {"index.html": b"new", "img/a b+c%.svg": b"img/a b+c%.svg"}
    assert container.get_blob_client("img/a b+c%.svg").get_blob_properties().etag == before  # not sent again
    synchronize(container, first, second, site)  # what was cut short is done again: a deleted file is no error


def test_a_file_that_changed_since_the_plan_is_not_sent(container, site):
    planned = listed(site)
    (site / "index.html").write_text("other")
    with pytest.raises(UploadFailed, match=r"index\.html is not the file that was planned"):
        synchronize(container, {}, planned, site)
    assert "index.html" not in stored(container)


class Storage(FakeServer):
    """Refuses `refusals` times as Storage does a login without a role, then takes the file."""

    def __init__(self, refusals, code=NO_ROLE_YET):
        super().__init__(tls=True)
        self.refusals, self.code, self.taken = refusals, code, []

    def serve(self, method, path, raw_query, headers, body):
        if self.refusals:
            self.refusals -= 1
            raise Answer(403, {}, {"x-ms-error-code": self.code})
        self.taken.append(path)
        return Answer(201, None, {"ETag": '"1"', "Last-Modified": "Wed, 25 Nov 2026 19:00:00 GMT"})


def client(server):
    return ContainerClient(f"https://{server.host}/account", "static", Login(), connection_verify=False)


def test_a_role_that_is_not_known_yet_is_waited_for(site):
    with Storage(3) as server:
        synchronize(client(server), {}, listed(site), site, Retry(60, 0.01))
        assert len(server.taken) == 3 and server.refusals == 0


def test_a_login_without_a_role_is_told_which_one(site):
    with Storage(1000) as server, pytest.raises(UploadFailed, match="Storage Blob Data Contributor"):
        synchronize(client(server), {}, listed(site), site, Retry(0.05, 0.01))


def test_anothers_role_is_not_waited_for(site, monkeypatch):
    """Without `twofold:deployer` the role is the first deployer's; whoever else is refused hears so at once."""
    monkeypatch.setattr(blobs.login, "object_id", lambda: "mine")
    assert blobs.retry("mine") == blobs.retry("") == blobs.ROLE  # a group may have this login in it
    with (
        Storage(1000) as server,
        pytest.raises(UploadFailed, match=r"role .* is another's.* Let twofold:deployer name who"),
    ):
        synchronize(client(server), {}, listed(site), site, blobs.retry("theirs"))
    assert server.refusals == 999


@pytest.mark.parametrize("code", ["InsufficientAccountPermissions", "AuthorizationFailure"])
def test_another_refusal_is_told_at_once(site, code):
    """The account's firewall among them: no role would help."""
    with Storage(1000, code) as server, pytest.raises(UploadFailed, match=f"/static refused this login: {code}$"):
        synchronize(client(server), {}, listed(site), site, Retry(60, 1))
    assert server.refusals == 999


def test_the_path_of_this_machine_is_no_change():
    old = {"account": "a", "container": "static", "path": "/here", "files": {"x": {"digest": "1"}}}
    diff = _Provider().diff
    assert diff("", old, old | {"path": "/there"}).changes is False
    assert diff("", old, old | {"files": {}}).changes is True and not diff("", old, old | {"files": {}}).replaces
    assert diff("", old, old | {"account": "b"}).replaces == ["account"]
