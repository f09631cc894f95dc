"""A checkout's own tokens: `twofold token`, the line that `twofold run` prints, the docs page's Authorize button."""

import json
import os
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.copies.copy import ROOT
from tests.integration.local.service import Service
from twofold.local.issuer import DevelopmentIssuer

TWOFOLD = Path(sys.executable).with_name("twofold")
PLAIN = 'from twofold import ServiceManifest\nSERVICE = ServiceManifest("plain", app="api.app:app")\n'


@pytest.fixture
def service(tmp_path):
    running = Service(tmp_path)
    yield running
    running.kill()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "api").symlink_to(ROOT / "api")
    return tmp_path


def token(folder, *arguments, status=0, **environ):
    plain = {key: value for key, value in os.environ.items() if not key.startswith("TWOFOLD_")}
    done = subprocess.run(
        [TWOFOLD, "token", *arguments], cwd=folder, env=plain | environ, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == status and "Traceback" not in done.stderr, done.stderr
    return (done.stderr if status else done.stdout).strip()


def test_a_token_says_who_calls_and_what_for(service):
    with httpx.Client(base_url=service.url, timeout=20) as client:

        def status(path, *arguments):
            return client.get(
                path, headers={"Authorization": f"Bearer {token(service.folder, *arguments)}"}
            ).status_code

        assert status("/customers/c-1/orders") == 200
        assert status("/customers/c-2/orders") == 200  # every scope: orders.admin too
        assert status("/customers/c-1/orders", "--scope", "orders.write") == 403
        own = ("--subject", "c-2", "--scope", "orders.read", "--scope", "orders.write")
        assert (status("/customers/c-2/orders", *own), status("/customers/c-1/orders", *own)) == (200, 403)
        assert status("/customers/c-2/orders", "--subject", "c-2", "--scope", "orders.read orders.write") == 200


def test_a_program_is_told_what_the_token_says(folder):
    answer = json.loads(token(folder, "--subject", "c-2", "--scope", "orders.read", "--json"))
    assert (answer["subject"], answer["scopes"]) == ("c-2", ["orders.read"])
    assert 0 <= answer["expires_at"] - 12 * 3600 - time.time() + 60 < 120 and answer["token"].count(".") == 2
    assert json.loads(token(folder, "--json"))["scopes"] == ["orders.read", "orders.write", "orders.admin"]


def test_the_printed_line_works_when_pasted(service, tmp_path_factory):
    line = service.announced.splitlines()[2].removeprefix("try it:").strip()
    done = subprocess.run(line, shell=True, cwd=tmp_path_factory.mktemp("elsewhere"), capture_output=True, text=True)
    assert json.loads(done.stdout)["status"] == "placed", done.stdout + done.stderr


def test_the_docs_pages_authorize_button_gets_a_token_that_works(service):
    """What Swagger UI asks for, as seen in a browser: discovery, then client credentials in a Basic header."""
    with httpx.Client(base_url=service.url, timeout=20) as client:
        page = client.get("/docs").text
        assert '"clientId": "c-1"' in page
        scheme = client.get("/openapi.json").json()["components"]["securitySchemes"]["oidc"]
        metadata = client.get(scheme["openIdConnectUrl"]).json()
        assert metadata["grant_types_supported"] == ["client_credentials"]
        assert metadata["scopes_supported"] == ["orders.read", "orders.write", "orders.admin"]
        form = {"grant_type": "client_credentials", "scope": "orders.read"}
        answer = client.post(metadata["token_endpoint"], data=form, auth=("c-1", ""))
        assert (answer.status_code, answer.json()["token_type"]) == (200, "Bearer")
        headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        assert client.get("/customers/c-1/orders", headers=headers).status_code == 200
        assert client.get("/customers/c-2/orders", headers=headers).status_code == 403
        for wrong, error in (
            ({**form, "grant_type": "password"}, "unsupported_grant_type"),
            ({**form, "scope": "orders.all"}, "invalid_scope"),
        ):
            refused = client.post(metadata["token_endpoint"], data=wrong, auth=("c-1", ""))
            assert (refused.status_code, refused.json()["error"]) == (400, error)
        for headers in ({}, {"Authorization": "Basic !"}, {"Authorization": "Basic /w=="}):
            refused = client.post(metadata["token_endpoint"], data=form, headers=headers)
            assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")


def test_the_key_is_its_owners_alone_and_made_once_by_many_at_once(folder):
    with ThreadPoolExecutor(8) as pool:
        tokens = list(pool.map(lambda _: token(folder), range(4)))
    headers = {one.split(".")[0] for one in tokens}
    assert len(headers) == 1  # one kid
    file = folder / ".data/development-issuer.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [one.name for one in (folder / ".data").iterdir()] == [file.name]


async def test_what_verifiers_get_has_no_private_part(tmp_path):
    [jwk] = await DevelopmentIssuer(tmp_path).fetch()
    assert set(jwk) == {"kty", "crv", "x", "y", "kid", "use"}


def test_a_token_that_nobody_would_take_is_refused_with_the_reason(folder):
    assert "no scope orders.all; it has orders.read" in token(folder, "--scope", "orders.all", status=2)
    issuer = {"TWOFOLD_OIDC_ISSUER": "https://issuer.example", "TWOFOLD_OIDC_AUDIENCE": "orders"}
    assert "takes tokens of https://issuer.example" in token(folder, status=2, **issuer)
    assert "OIDC_AUDIENCE is missing" in token(folder, status=2, TWOFOLD_OIDC_ISSUER="https://issuer.example")
    (folder / "plain.py").write_text(PLAIN)
    assert "declares no scopes" in token(folder, "--manifest", "plain:SERVICE", status=2)
    assert not (folder / ".data").exists()


def test_a_route_whose_scope_the_manifest_does_not_name_is_refused_by_openapi(folder):
    (folder / "shop.py").write_text(
        "from fastapi import FastAPI, Security\nfrom twofold import ServiceManifest\n"
        "from twofold.http.auth import authorize\napp = FastAPI()\n"
        '@app.get("/x", dependencies=[Security(authorize, scopes=["x.read"])])\ndef x(): ...\n'
        'SERVICE = ServiceManifest("shop", app="shop:app", packages=())\n'
    )
    done = subprocess.run(
        [TWOFOLD, "openapi", "--manifest", "shop:SERVICE"], cwd=folder, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2 and "routes need x.read" in done.stderr and "Traceback" not in done.stderr
