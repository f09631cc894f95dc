"""`twofold check`: what is wrong with a service is told before it is built, and stops the build."""

import json

import pytest

from tests.integration.cli.commands import typed

APP = """
from typing import Annotated
from fastapi import FastAPI, Security
from twofold.http.auth import authorize
from twofold.http import problem

def create_app(services):
    app = FastAPI()
    problem.install(app)

    @app.get("/notes", dependencies=[Security(authorize, scopes=["notes"])])
    async def listed(): ...

    @app.get("/meant", openapi_extra={"security": []})
    async def meant(): ...
"""
MISTAKES = """
    @app.post("/forgotten")
    async def forgotten(): ...

    @app.get("/misspelt", dependencies=[Security(authorize, scopes=["note"])])
    async def misspelt(): ...
"""
MANIFEST = """
from twofold import QueueSpec, ServiceManifest
SERVICE = ServiceManifest(
    "notes", app="api.app:create_app", scopes=("notes",), queues=(QueueSpec("mails", handler="api.mails:send"),)
)
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "api").mkdir()
    for name, text in (("__init__", ""), ("app", f"{APP}\n    return app\n"), ("manifest", MANIFEST)):
        (tmp_path / f"api/{name}.py").write_text(text)
    (tmp_path / "api/mails.py").write_text("async def send(services, message): ...\n")
    return tmp_path


def test_a_service_that_is_whole(folder):
    _, outcome = typed(folder, "openapi", "check --json")
    assert outcome.code == 0 and [one["fine"] for one in json.loads(outcome.stdout)] == [True] * 4


def test_each_mistake_is_told_and_stops_the_build(folder):
    (folder / "api/app.py").write_text(f"{APP}{MISTAKES}\n    return app\n")
    (folder / "api/mails.py").write_text("import nothing_of_the_kind\n\nasync def send(services, message): ...\n")
    (folder / "openapi.json").write_text("{}")
    checked, people, built = typed(folder, "check --json", "check", "build --cloud aws")
    wrong = {one["what"]: one["found"] for one in json.loads(checked.stdout) if not one["fine"]}
    assert checked.code == people.code == 1
    assert set(wrong) == {"queue mails", "scope note", "POST /forgotten", "openapi.json"}
    assert f"No module named 'nothing_of_the_kind' ({folder}/api/mails.py, line 1)" in wrong["queue mails"]
    assert "declares no scope" in wrong["POST /forgotten"] and wrong["openapi.json"] == "older than the routes"
    assert built.code == 2 and built.stderr.startswith("twofold: the service is not whole:\n")
    assert all(what in people.stdout and what in built.stderr for what in wrong)


def test_an_application_and_a_manifest_that_do_not_load_are_a_line(folder):
    (folder / "api/app.py").write_text("def create_app(services):\n    return 1 / 0\n")
    (folder / "openapi.json").write_text("{}")
    [outcome] = typed(folder, "check --json")
    [wrong] = [one for one in json.loads(outcome.stdout) if not one["fine"]]
    assert wrong["what"] == "application api.app:create_app" and "api/app.py, line 2" in wrong["found"]
    (folder / "api/manifest.py").write_text(f"{MANIFEST}\nNAME = undefined\n")
    [outcome] = typed(folder, "check")
    assert outcome.code == 2 and outcome.stderr.count("\n") == 1
    assert f"NameError: name 'undefined' is not defined ({folder}/api/manifest.py, line 7)" in outcome.stderr


def test_a_start_refuses_a_handler_that_is_not_there(folder):
    (folder / "api/mails.py").unlink()
    [outcome] = typed(folder, "run --port 0")
    assert outcome.code == 2 and "queue mails: api.mails:send: ModuleNotFoundError" in outcome.stderr
    assert outcome.stdout == "" and "Traceback" not in outcome.stderr
