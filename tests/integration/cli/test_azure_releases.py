"""Releases on Azure: real blobs in Azurite, by an Entra token over https, apps that answer as One Deploy does, and ARM."""

import functools
import hashlib
import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from azure.core.credentials import AccessToken
from azure.storage.blob import ContainerClient

from tests.copies.copy import ROOT
from tests.unit.deploy.arm import Arm, site
from twofold.deploy.azure import releases as module
from twofold.deploy.azure.code import publish
from twofold.deploy.releases import ReleaseError
from twofold.deploy.retry import Retry
from twofold.emulators.azurite import KEY
from twofold.emulators.managed_identity import ManagedIdentityFake, storage_token
from twofold.emulators.server import Answer, FakeServer

APPS = {"http": "orders-dev-http-1a2b", "worker": "orders-dev-worker-1a2b"}
UNITS = {role: site(app) for role, app in APPS.items()}


def digest(text):
    return hashlib.sha256(text).hexdigest()


class Login:
    """A credential that gives tokens as Storage takes them."""

    def get_token(self, *scopes, **options):
        return AccessToken(storage_token(), int(time.time()) + 3600)


class Apps(FakeServer):
    """The deployment endpoints of several apps. `runs` has what each was given; those in `broken` fail what is posted."""

    def __init__(self):
        super().__init__(tls=False)
        self.runs, self.broken = {}, set()

    def serve(self, method, path, raw_query, headers, body):
        app, _, inside = path.removeprefix("/").partition("/")
        if not headers.get("Authorization", "").startswith("Bearer "):
            raise Answer(401)
        if (method, inside) == ("POST", "api/publish"):
            if app not in self.broken:
                self.runs[app] = body
            return Answer(202, "d-1")
        status = 3 if app in self.broken else 4
        return Answer(200, {"id": "d-1", "status": status, "status_text": "the build broke"})


@pytest.fixture
def apps(monkeypatch):
    monkeypatch.setattr(module, "publish", functools.partial(publish, retry=Retry(600, 0.01)))
    with Apps() as apps:
        yield apps


@pytest.fixture
def arm():
    with Arm({APPS["http"]: [["http"]], APPS["worker"]: [["queue_payments"]]}, token=None) as arm:
        yield arm


@pytest.fixture(scope="module")
def containers(request, azurite_services):
    """URLs of as many as there are tests, filled side by side: a blob's time has whole seconds, which are waited for once."""
    tests = sum("kept" in item.fixturenames for item in request.session.items)
    urls = [f"{azurite_services['blob']}/releases{n}-{time.time_ns()}" for n in range(tests)]
    with ExitStack() as stack:
        clients = [
            stack.enter_context(ContainerClient.from_container_url(url, KEY, connection_verify=False)) for url in urls
        ]
        for container in clients:
            container.create_container()
        for text in (b"a", b"b", b"c"):
            for container in clients:
                container.upload_blob(f"{digest(text)}.zip", text)
            time.sleep(1.1)
    return iter(urls)


@pytest.fixture
def kept(containers):
    """The container's URL, with three releases of which the last one written is live."""
    return next(containers)


@pytest.fixture
def stack(kept, apps, arm):
    endpoint = f"http://{apps.host}/{{app}}"
    return module.Releases(kept, UNITS, credential=Login(), endpoint=endpoint, arm=arm.url, connection_verify=False)


def live(stack):
    return [one.digest for one in stack.read() if one.live]


def test_they_are_the_blobs_and_the_last_one_written_is_live(stack):
    assert [one.digest for one in stack.read()] == [digest(text) for text in (b"c", b"b", b"a")]
    assert [one.live for one in stack.read()] == [("http", "worker"), (), ()]


def test_a_rollback_publishes_the_blob_to_every_app(stack, apps, arm):
    stack.activate(digest(b"a"))
    assert apps.runs == dict.fromkeys(APPS.values(), b"a")
    assert arm.known == {APPS["http"]: ["http"], APPS["worker"]: ["queue_payments"]}
    assert live(stack) == [digest(b"a")]
    assert [one.digest for one in stack.read()] == [digest(text) for text in (b"a", b"c", b"b")]


def test_when_one_app_fails_the_others_go_back(stack, apps):
    apps.runs |= dict.fromkeys(APPS.values(), b"c")
    apps.broken.add(APPS["worker"])
    with pytest.raises(ReleaseError, match=r"worker: .*the build broke; every unit runs what it ran before"):
        stack.activate(digest(b"a"))
    assert apps.runs == dict.fromkeys(APPS.values(), b"c")
    assert live(stack) == [digest(b"c")]


def test_a_login_that_may_not_sync_triggers_changes_nothing(stack, apps, arm):
    """Publishing is one right and this another: the apps have the release of before again."""
    apps.runs |= dict.fromkeys(APPS.values(), b"c")
    arm.forbidden.add("Microsoft.Web/sites/host/sync/action")
    with pytest.raises(
        ReleaseError, match=r"this login may not sync triggers, it needs Microsoft.Web/sites/host/sync/action"
    ):
        stack.activate(digest(b"a"))
    assert apps.runs == dict.fromkeys(APPS.values(), b"c")
    assert live(stack) == [digest(b"c")]


def test_one_whose_triggers_are_not_synced_goes_back_too(stack, apps, arm, monkeypatch):
    """It has taken the code: what the message says of the units is what they run."""
    apps.runs |= dict.fromkeys(APPS.values(), b"c")
    arm.hosts[APPS["worker"]] = [None]
    monkeypatch.setattr(module.triggers, "sync", functools.partial(module.triggers.sync, retry=Retry(0.1, 0.01)))
    with pytest.raises(
        ReleaseError, match=r"^worker: .*not synced: 400 .*every unit runs what it ran before"
    ) as failed:
        stack.activate(digest(b"a"))
    assert "http:" not in str(failed.value) and apps.runs == dict.fromkeys(APPS.values(), b"c")


def test_its_code_comes_back_byte_for_byte_or_not_at_all(stack, kept, apps):
    assert stack.fetch(digest(b"b")) == b"b"
    with ContainerClient.from_container_url(kept, KEY, connection_verify=False) as container:
        container.upload_blob(f"{digest(b'b')}.zip", b"changed", overwrite=True)
    with pytest.raises(ReleaseError, match="has another digest"):
        stack.activate(digest(b"b"))
    assert apps.runs == {}
    with pytest.raises(ReleaseError, match="has no such release"):
        stack.fetch("0" * 64)


def test_a_login_that_may_not_read_is_one_line(kept, apps):
    class Nobody(Login):
        def get_token(self, *scopes, **options):
            return AccessToken("no.token.atall", int(time.time()) + 3600)

    stack = module.Releases(kept, UNITS, credential=Nobody(), connection_verify=False)
    with pytest.raises(ReleaseError, match="takes no login that is found here; run: az login") as refused:
        stack.read()
    assert "\n" not in str(refused.value)


def test_an_operator_lists_and_fetches_with_the_default_login(kept, azurite_services, tmp_path):
    """`twofold releases` as a process: azure-identity's own chain, which finds an identity's endpoint here, and one that finds
    none."""
    (tmp_path / "api").symlink_to(ROOT / "api")
    cli = tmp_path / "bin" / "pulumi"
    cli.parent.mkdir()
    outputs = json.dumps({"units": UNITS, "releases_url": kept, "artifact": digest(b"c")})
    cli.write_text(f"""#!/bin/sh\n[ "$5" = dev-azure ] && echo '{outputs}'\n""")
    cli.chmod(0o755)
    environ = os.environ | {
        "PATH": f"{cli.parent}{os.pathsep}/usr/bin{os.pathsep}/bin", "REQUESTS_CA_BUNDLE": azurite_services["certificate"],
        "AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential",
    }  # fmt: skip

    def twofold(*arguments, **more):
        command = [Path(sys.executable).with_name("twofold"), "releases", "--cloud", "azure", *arguments]
        return subprocess.run(command, cwd=tmp_path, env=environ | more, capture_output=True, text=True, timeout=120)

    with ManagedIdentityFake() as identity:
        listed = twofold(**identity.environ)
        assert listed.returncode == 0, listed.stderr
        rows = [line for line in listed.stdout.splitlines() if "UTC" in line]
        assert [digest(text)[:16] in row for text, row in zip((b"c", b"b", b"a"), rows, strict=True)] == [True] * 3
        assert "live" in rows[0] and "live" not in rows[1] + rows[2]
        releases = json.loads(twofold("--json", **identity.environ).stdout)
        assert [(one["digest"], one["live"]) for one in releases] == [
            (digest(b"c"), ["http", "worker"]), (digest(b"b"), []), (digest(b"a"), []),
        ]  # fmt: skip
        assert twofold("--fetch", digest(b"a"), **identity.environ).returncode == 0
    assert (tmp_path / ".build" / f"orders-azure-{digest(b'a')[:16]}.zip").read_bytes() == b"a"
    nobody = twofold(AZURE_TOKEN_CREDENTIALS="AzureCliCredential", PATH=str(cli.parent))
    assert nobody.returncode == 2 and len(nobody.stderr.splitlines()) == 2, nobody.stderr  # where it acts, and this
    assert "takes no login that is found here; run: az login" in nobody.stderr
