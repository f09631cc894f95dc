"""`twofold new`, from the built wheel in an empty environment: its own tests pass, its stacks deploy on the engine."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile

import httpx
import pytest
import uv

from tests.copies.copy import ROOT
from tests.emulators.tool import needing
from tests.host.life import live
from tests.host.terminal import Terminal
from tests.integration.walk import eventually
from twofold.emulators import azurite

UV = uv.find_uv_bin()


def run(*command, folder, **environ):
    done = subprocess.run(command, cwd=folder, env=os.environ | environ, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder), folder=ROOT)
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def service(wheel, tmp_path_factory):
    folder = tmp_path_factory.mktemp("empty")
    run(UV, "venv", "-q", "--python", sys.executable, "venv", folder=folder)
    run(UV, "pip", "install", "-q", "--python", "venv/bin/python", str(wheel), folder=folder)
    output = run("venv/bin/twofold", "new", "shop", "--service", "my-notes", folder=folder)
    assert "api/notes.py" in output and "make test" in output
    return folder / "shop"


def test_its_own_tests_pass(service):
    assert "passed" in run("make", "test", folder=service)


BLOCKS = """
from twofold.portable.message import Message


async def test_every_block(services):
    await services.secrets.set("mail-key", "of the test")
    await services.queue.send("mails", Message("mail", {}))
    await services.publisher.publish([])
    await services.documents.put("documents", "p", "1", {})
    await services.cache.set("k", 1, 10)
    assert services.settings.events_url == "log:" and not services.cache.shared
"""
DECLARED = """    queues=(QueueSpec("mails", handler="api.app:create_app"),),
    secrets=(SecretSpec("mail-key"),),
"""


def test_a_test_touches_nothing_of_what_is_served(service, tmp_path):
    """Neither a real secret, nor a message that the next `dev` would work."""
    mine = tmp_path / "mine"
    shutil.copytree(service, mine, ignore=shutil.ignore_patterns(".venv", "vendor", ".data"))
    (mine / "tests/test_blocks.py").write_text(BLOCKS)
    manifest = (mine / "api/manifest.py").read_text().replace('    scopes=("notes",),\n', f"{DECLARED}    scopes=(),\n")
    (mine / "api/manifest.py").write_text(manifest.replace("import S", "import QueueSpec, SecretSpec, S"))
    (mine / ".data/secrets").mkdir(parents=True)
    (mine / ".data/secrets/mail-key").write_text("the real one")
    redis = {f"TWOFOLD_{block}_URL": f"{block.lower()}://of-the-shell" for block in ("CACHE", "EVENTS")}
    run(sys.executable, "-m", "pytest", "tests/test_blocks.py", folder=mine, **redis)
    assert (mine / ".data/secrets/mail-key").read_text() == "the real one"
    assert not (mine / ".data/twofold.db").exists()


def listens(url):
    try:
        return httpx.get(url) is not None
    except httpx.ConnectError:
        return False


@pytest.mark.parametrize("cloud", ["azure", "aws"])
def test_it_is_served_as_in_a_cloud(service, cloud):
    if cloud == "azure":
        needing(azurite.fetch)
    process = subprocess.Popen(
        ["make", "dev", f"CLOUD={cloud}", "PORT=0"], cwd=service, stdout=subprocess.PIPE, text=True
    )
    output = ""
    while "try it" not in output:
        line = process.stdout.readline()
        assert line, output
        output += line
    url, token = re.search(r"is at +(\S+)", output)[1], re.search(r"Bearer ([^\"]+)", output)[1]
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=60) as client:
        created = client.post("/notes", json={"text": "hello"})
        assert created.status_code == 201, created.text
        assert client.get(created.headers["location"]).json()["text"] == "hello"
        assert client.get("/health/ready").json()["status"] == "ready"
    process.terminate()  # make, which ends what it runs
    process.wait(120)
    eventually(lambda: not listens(url), lambda: time.sleep(0.05), 120)


@pytest.fixture(scope="module")
def terminal(service, tmp_path_factory):
    run("make", "deployable", folder=service)
    one = Terminal(service, tmp_path_factory.mktemp("person"))
    yield one
    one.close()


def test_its_stack_lives_on_azure(terminal, tmp_path):
    live(terminal, "dev-azure")


def test_its_stack_lives_on_aws_and_in_another_folder_and_environment(terminal, tmp_path):
    def move():
        moved = shutil.copytree(terminal.project, tmp_path / "moved", ignore=shutil.ignore_patterns(".venv", ".build"))
        run("make", "deployable", folder=moved)
        terminal.project = moved

    live(terminal, "dev-aws", move)


def test_its_files_name_no_other_service_and_no_machine(service):
    for file in service.rglob("*"):
        inside = file.relative_to(service)
        if (
            file.is_file()
            and inside.parts[0] not in (".venv", "vendor", ".build")
            and "__pycache__" not in inside.parts
        ):
            text = file.read_text()
            assert str(ROOT) not in text and "__SERVICE__" not in text and "order" not in text.replace("ordered by", "")
    assert json.loads((service / "openapi.json").read_text())["info"]["title"] == "My notes"


def test_a_folder_that_is_not_empty_and_a_bad_name_are_refused(service):
    twofold = service.parent / "venv/bin/twofold"
    for path, name, message in (("shop", "fine", "not empty"), ("other", "Not Fine", "a-z")):
        done = subprocess.run(
            [twofold, "new", path, "--service", name], cwd=service.parent, capture_output=True, text=True
        )
        assert done.returncode == 2 and message in done.stderr and "Traceback" not in done.stderr
    assert not (service.parent / "other").exists()


def test_a_program_is_told_its_files(service):
    output = run("venv/bin/twofold", "new", "again", "--service", "again", "--json", folder=service.parent)
    folder = service.parent / "again"
    files = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())
    assert json.loads(output) == {"path": "again", "files": files} and "openapi.json" in files


def test_the_wheel_is_complete(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {
        "twofold/py.typed",
        "twofold/cli/template/stacks/aws.py",
        "twofold/emulators/azurite/package-lock.json",
    } <= set(names)
    assert any(name.endswith("dist-info/licenses/LICENSE") for name in names)
    assert not any(name.startswith(("api/", "tests/", "stacks/", "tools/")) for name in names)
    [metadata] = [name for name in names if name.endswith("dist-info/METADATA")]
    text = zipfile.ZipFile(wheel).read(metadata).decode()
    needed = [line.partition(";")[0] for line in text.splitlines() if line.startswith("Requires-Dist: ")]
    assert "Requires-Dist: fastapi>=0.115" in needed and all(">=" in one and "==" not in one for one in needed)
