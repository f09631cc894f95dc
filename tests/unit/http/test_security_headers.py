"""What browsers are told: security headers, content security policies, CORS; and that no answer tells of the inside."""

import base64
import hashlib
import re
import traceback

import pytest
from fastapi import FastAPI, Response
from fastapi.responses import HTMLResponse

from tests.unit.http.serving import serving, slug
from twofold.errors import SettingsError, StoreUnavailable
from twofold.http import problem
from twofold.http.openapi import responses
from twofold.manifest import ServiceManifest
from twofold.settings import MARKER, Settings

SHOP = "https://shop.example"
PREFLIGHT = {"Origin": SHOP, "Access-Control-Request-Method": "POST"}


def application():
    app = FastAPI(swagger_ui_init_oauth={"clientId": "docs"})
    problem.install(app)

    @app.get("/thing")
    async def thing(response: Response):
        response.headers["Vary"] = "Accept"
        return {}

    @app.get("/page", response_class=HTMLResponse)
    async def page():
        return "<script>1</script>"

    @app.get("/own")
    async def own():
        return Response("x", headers={"Content-Security-Policy": "default-src *", "Cache-Control": "max-age=60"})

    @app.get("/broken", responses=responses(500))
    async def broken(kind: str):
        error = {
            "key": KeyError("planted-name"),
            "store": StoreUnavailable("planted-host:443"),
            "os": OSError(2, "/planted"),
        }
        raise error.get(kind) or RuntimeError(f"planted {traceback.format_stack()[-1]}")

    return app


@pytest.fixture
async def client(tmp_path):
    async with serving(application(), tmp_path, cors_origins=f"{SHOP}, http://localhost:3000") as client:
        yield client


@pytest.mark.parametrize("path", ["/thing", "/none", "/broken?kind=x", "/broken", "/openapi.json"])
async def test_nothing_of_an_answer_is_loaded_framed_kept_or_guessed(client, path):
    headers = (await client.get(path)).headers
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["x-content-type-options"] == "nosniff" and headers["x-frame-options"] == "DENY"
    assert headers["strict-transport-security"].startswith("max-age=31536000")
    assert headers["referrer-policy"] == "no-referrer" and headers["cache-control"] == "no-store"
    assert "camera=()" in headers["permissions-policy"]
    assert headers["cross-origin-resource-policy"] == "same-origin"


async def test_an_application_sets_its_own(client):
    own = (await client.get("/own")).headers
    assert own.get_list("content-security-policy") == ["default-src *"] and own["cache-control"] == "max-age=60"
    assert "default-src" not in (await client.get("/page")).headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/docs", "/docs/oauth2-redirect"])
async def test_the_docs_may_load_what_they_name_and_no_more(tmp_path, path):
    async with serving(
        application(), tmp_path, oidc_issuer="https://login.example/tenant", oidc_audience="a"
    ) as client:
        answer = await client.get(path)
    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    scripts, styles = policy["script-src"].split(), policy["style-src"].split()
    assert policy["default-src"] == "'none'" and policy["frame-ancestors"] == "'none'"
    assert policy["connect-src"].split() == ["'self'", "https://login.example"]
    assert "'unsafe-inline'" not in scripts and "*" not in answer.headers["content-security-policy"]
    named = re.findall(r"<script[^>]*src=\"([^\"]+)", answer.text)
    inline = re.findall(r"<script>(.*?)</script>", answer.text, re.DOTALL)
    hashes = [f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in inline]
    assert named or inline
    assert set(scripts) == {*named, *hashes}
    assert set(re.findall(r"rel=\"stylesheet\" href=\"([^\"]+)", answer.text)) <= set(styles)


async def test_pages_of_named_origins_may_call_it(client):
    answer = await client.options("/thing", headers=PREFLIGHT)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == SHOP and answer.headers["vary"] == "Origin"
    assert "authorization" in answer.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in answer.headers
    answer = await client.get("/thing", headers={"Origin": "http://localhost:3000"})
    assert answer.headers["access-control-allow-origin"] == "http://localhost:3000"
    assert answer.headers["vary"] == "Accept, Origin" and "etag" in answer.headers["access-control-expose-headers"]
    assert (await client.get("/none", headers={"Origin": SHOP})).headers["access-control-allow-origin"] == SHOP


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "https://shop.example.evil.example", "null", "http://shop.example", ""]
)
async def test_pages_of_others_may_not(client, origin):
    answer = await client.options("/thing", headers=PREFLIGHT | {"Origin": origin})
    assert (answer.status_code, slug(answer)) == (403, "origin-not-allowed")
    assert "access-control-allow-origin" not in answer.headers and answer.headers["vary"] == "Origin"
    answer = await client.get("/thing", headers={"Origin": origin})
    assert "access-control-allow-origin" not in answer.headers and answer.headers["vary"] == "Accept, Origin"


@pytest.mark.parametrize(
    ("origins", "deployed", "fine"),
    [
        ("", True, True), ("https://a.example,https://b.example:8443", True, True), ("http://localhost:3000", False, True),
        ("http://localhost:3000", True, False), ("*", False, False), ("https://*.example", False, False),
        ("https://a.example/", False, False), ("HTTPS://A.example", False, False), ("http://a.example", False, False),
        ("null", False, False), ("https://u:p@a.example", False, False),
    ],
)  # fmt: skip
def test_origins_are_exact(tmp_path, origins, deployed, fine):
    environ = {"TWOFOLD_CORS_ORIGINS": origins}
    if deployed:
        (tmp_path / MARKER).write_text("{}")
        environ |= {
            "TWOFOLD_ENVIRONMENT": "dev", "TWOFOLD_ROLE": "http", "TWOFOLD_OIDC_ISSUER": "https://i.example",
            "TWOFOLD_OIDC_AUDIENCE": "t",
        }  # fmt: skip
    manifest = ServiceManifest("t", app="x:y")
    if fine:
        assert Settings.load(environ, manifest, tmp_path).origins == tuple(filter(None, origins.split(",")))
    else:
        with pytest.raises(SettingsError, match="TWOFOLD_CORS_ORIGINS"):
            Settings.load(environ, manifest, tmp_path)


@pytest.mark.parametrize("kind", ["key", "store", "os", "other"])
async def test_no_stack_trace_or_internal_name_leaves(client, caplog, kind):
    answer = await client.get("/broken", params={"kind": kind})
    assert answer.status_code in (500, 503) and slug(answer) in ("internal-error", "unavailable")
    text = answer.text + str(answer.headers)
    for inside in (
        "planted",
        "Traceback",
        "File ",
        ".py",
        "Error(",
        "twofold.",
        "fastapi",
        "starlette",
        "site-packages",
    ):
        assert inside not in text
    assert "planted" in caplog.text
