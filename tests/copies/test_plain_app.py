"""An ordinary FastAPI app (its own lifespan, third-party middleware, no block of the kit) through every door and stack."""

import sys

import httpx
import pytest

from tests.copies.copy import Copy
from twofold.emulators.lambda_host import LambdaHost
from twofold.emulators.process import free_port, serving

MANIFEST = '''"""A plain app."""

from twofold import ServiceManifest

SERVICE = ServiceManifest("plain", app="api.main:app")
'''
MAIN = '''"""An app that knows nothing of the kit."""

import os
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware

STARTS = []


@asynccontextmanager
async def lifespan(app):
    STARTS.append(os.getpid())
    yield {"greeting": "hello"}


app = FastAPI(lifespan=lifespan)
app.add_middleware(GZipMiddleware, minimum_size=1000)
app.add_middleware(CORSMiddleware, allow_origins=["https://shop.example"], allow_credentials=True)


@app.get("/greeting")
async def greeting(request: Request):
    return {"greeting": request.state.greeting, "starts": len(STARTS)}


@app.get("/long")
def long():
    return {"text": "x" * 5000}


@app.get("/broken")
async def broken():
    raise RuntimeError("a secret detail")
'''


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    copied = Copy(tmp_path_factory.mktemp("plain"))
    for file in (copied.folder / "api/orders").iterdir():
        file.unlink()
    (copied.folder / "api/orders").rmdir()
    copied.write("api/manifest.py", MANIFEST)
    copied.write("api/main.py", MAIN)
    (copied.folder / "api/app.py").unlink()
    for cloud in ("aws", "azure"):
        name = f"stacks/config/Pulumi.dev-{cloud}.yaml"
        lines = (copied.folder / name).read_text().splitlines()
        copied.write(name, "\n".join(line for line in lines if "settings" not in line and "payment" not in line))
    copied.run("twofold", "openapi")
    return copied


@pytest.fixture(params=["local", "lambda", "functions"])
def url(request, copy):
    port, environ = free_port(), {"PYTHONPATH": str(copy.folder)}
    if request.param == "lambda":
        host = LambdaHost(copy.folder, environ)
        yield host.url
        host.close()
        return
    commands = {
        "local": [sys.executable, "-m", "twofold.cli.main", "run", "--port", str(port)],
        "functions": [sys.executable, "twofold/emulators/functions_host.py", ".", str(port)],
    }
    with serving(commands[request.param], port, environ, folder=copy.folder) as served:
        yield served


def test_it_serves_the_same_through_every_door(url):
    with httpx.Client(base_url=url, headers={"Origin": "https://shop.example"}, timeout=60) as client:
        for _ in range(3):
            answer = client.get("/greeting")
            assert answer.json() == {"greeting": "hello", "starts": 1}
        assert answer.headers["access-control-allow-origin"] == "https://shop.example"
        long = client.get("/long")
        assert long.headers["content-encoding"] == "gzip" and len(long.json()["text"]) == 5000
        broken = client.get("/broken")
        assert (broken.status_code, broken.headers["content-type"]) == (500, "application/problem+json")
        assert "secret detail" not in broken.text
        assert client.get("/health/ready").json() == {"status": "ready", "dependencies": []}
        assert client.post("/greeting", headers={"Idempotency-Key": "k"}).status_code == 405


@pytest.mark.parametrize("cloud", ["azure", "aws"])
def test_no_store_is_provisioned_for_it(copy, tmp_path, cloud):
    done = copy.deploy(cloud, tmp_path)
    stores = ("aws:dynamodb", "aws:secretsmanager", "azure-native:cosmosdb", "azure-native:keyvault")
    assert not [token for token in done["resources"] if token.startswith(stores)]
    kind = {"aws": "aws:lambda/function:Function", "azure": "azure-native:web:WebApp"}[cloud]
    assert done["resources"][kind] == 1


def test_the_import_rules_still_hold(copy):
    copy.run("lint-imports")
