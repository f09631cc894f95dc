"""The container images' definitions, read and linted; their one command is run here, on the artifact that they would hold.

No engine builds them here: what the bases have in them is their makers' word.
"""

import fnmatch
import hashlib
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from api.manifest import SERVICE
from tests.copies.copy import ROOT, Copy
from twofold.deploy import package

HADOLINT, TWOFOLD = (Path(sys.executable).with_name(name) for name in ("hadolint", "twofold"))


@pytest.fixture(scope="module", params=["azure", "aws"])
def cloud(request):
    return request.param


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return Copy(tmp_path_factory.mktemp("copy")).folder


@pytest.fixture(scope="module")
def instructions(cloud):
    """(instruction, arguments), continued lines joined as the builder joins them."""
    text = re.sub(r"\\\n", "", (ROOT / f"Dockerfile.{cloud}").read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.partition(" ")[0], line.partition(" ")[2]) for line in lines]


def of(instructions, kind):
    return [arguments for name, arguments in instructions if name == kind]


def test_the_linter_has_nothing_to_say(cloud, tmp_path):
    def lint(file):
        return subprocess.run([HADOLINT, "--no-color", file], capture_output=True, text=True)

    assert lint(ROOT / f"Dockerfile.{cloud}").stdout == ""
    worse = (ROOT / f"Dockerfile.{cloud}").read_text().replace(":3.13", ":latest").replace(":4-python3.13", ":latest")
    (tmp_path / "Dockerfile").write_text(worse + "RUN cd /tmp && pip install requests\n")
    assert {"DL3003", "DL3042"} <= set(re.findall(r"DL\d+", lint(tmp_path / "Dockerfile").stdout))


def test_one_pinned_base_that_can_be_pinned_harder_and_nothing_but_the_artifact(instructions):
    base, *arguments = of(instructions, "ARG")
    assert re.fullmatch(r"BASE=[a-z.]+/[a-z/-]+:[a-z0-9.-]*3\.13", base) and arguments == ["ARTIFACT", "DIGEST"]
    assert of(instructions, "FROM") == ["${BASE} AS unpacked", "${BASE}"]
    archive, unpacked = of(instructions, "COPY")
    assert archive == "${ARTIFACT} /tmp/artifact.zip" and unpacked.startswith("--from=unpacked /unpacked/ ")
    assert not of(instructions, "ADD") and len(of(instructions, "RUN")) == 1 and of(instructions, "HEALTHCHECK")


def test_it_starts_what_the_artifact_has(instructions, cloud, folder):
    artifact = package.build(SERVICE, cloud, folder)
    names = set(zipfile.ZipFile(artifact.path).namelist())
    target = of(instructions, "COPY")[1].split()[-1].rstrip("/")
    if cloud == "aws":
        module, _, handler = json.loads(of(instructions, "CMD")[0])[0].partition(".")
        assert target == "${LAMBDA_TASK_ROOT}" and f"{module}.py" in names
        assert f"{handler} = " in (ROOT / f"{module}.py").read_text()
        assert of(instructions, "USER") == ["65534:65534"]
    else:
        assert f"AzureWebJobsScriptRoot={target} " in of(instructions, "ENV")[0]
        assert {"host.json", "function_app.py"} <= names
        assert "/health/live" in of(instructions, "HEALTHCHECK")[0]


def test_its_command_unpacks_exactly_that_artifact(instructions, cloud, folder, tmp_path):
    artifact = package.build(SERVICE, cloud, folder)
    assert hashlib.sha256(artifact.path.read_bytes()).hexdigest() == artifact.digest
    program = json.loads(of(instructions, "RUN")[0])
    assert program[:2] == ["python3", "-c"]
    code = program[2].replace("/tmp/artifact.zip", str(artifact.path)).replace("/unpacked", str(tmp_path / "image"))

    def run(digest):
        return subprocess.run([sys.executable, "-c", code], env={"DIGEST": digest}, capture_output=True, text=True)

    refused = run("0" * 64)
    assert refused.returncode == 1 and "not the artifact" in refused.stderr and not (tmp_path / "image").exists()
    assert run(artifact.digest).returncode == 0
    files = {
        path.relative_to(tmp_path / "image").as_posix(): path.read_bytes()
        for path in (tmp_path / "image").rglob("*")
        if path.is_file()
    }
    with zipfile.ZipFile(artifact.path) as archive:
        assert files == {name: archive.read(name) for name in archive.namelist()}
    assert all(path.stat().st_mode & 0o004 for path in (tmp_path / "image").rglob("*"))  # Lambda's user is another one


def test_the_builder_is_sent_artifacts_alone():
    rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]

    def sent(path):
        """The last rule that matches the path or a folder above it counts, as Docker says."""
        parts = path.split("/")
        above = ["/".join(parts[: depth + 1]) for depth in range(len(parts))]
        verdict = True
        for rule in rules:
            pattern = rule.removeprefix("!")
            if any(one.count("/") == pattern.count("/") and fnmatch.fnmatch(one, pattern) for one in above):
                verdict = rule.startswith("!")
        return verdict

    assert sent(".build/orders-aws-0123456789abcdef.zip")
    for path in ("api/app.py", ".env", ".data/secrets/payment-api-key", ".build/x.cdx.json", ".git/config", "x.zip"):
        assert not sent(path)


def engine(folder, name, info):
    """A stand-in for an engine, which writes down what it is asked for."""
    program = folder / "bin" / name
    program.parent.mkdir(exist_ok=True)
    program.write_text(f"""#!/bin/sh\n[ "$1" = info ] && exit {info}\necho "$@" > "{folder}/asked"\n""")
    program.chmod(0o755)
    return {"PATH": f"{program.parent}{os.pathsep}/usr/bin{os.pathsep}/bin"}


def build(folder, *arguments, environ, code=0):
    done = subprocess.run(
        [TWOFOLD, "build", *arguments], cwd=folder, env=os.environ | {"PYTHONPATH": str(folder), "COLUMNS": "120"} | environ,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == code and "Traceback" not in done.stderr, done.stdout + done.stderr
    return done


def test_the_command_tells_the_artifact_and_asks_the_engine_for_the_image(cloud, folder, tmp_path):
    done = build(folder, "--cloud", cloud, "--json", "--image", environ=engine(tmp_path, "podman", info=0))
    facts = json.loads(done.stdout)
    path = Path(facts["path"])
    assert hashlib.sha256(path.read_bytes()).hexdigest() == facts["digest"] and path.stat().st_size == facts["packed"]
    assert facts["limits"] == ({"packed": 52428800, "unpacked": 262144000} if cloud == "aws" else {})
    assert facts["shares"][0]["package"].startswith("cryptography ")
    asked = (tmp_path / "asked").read_text().split()
    assert asked[0] == "build" and asked[-1] == str(folder) and f"DIGEST={facts['digest']}" in asked
    assert folder / asked[asked.index("--build-arg") + 1].removeprefix("ARTIFACT=") == path
    assert Path(asked[asked.index("--file") + 1]) == folder / f"Dockerfile.{cloud}"
    assert f"orders-{cloud}:{facts['digest'][:16]}: push it to your registry" in done.stderr


def test_the_bill_of_materials_lies_beside_it(cloud, folder):
    command = [TWOFOLD, "sbom", cloud, "--json"]
    done = subprocess.run(
        command, cwd=folder, env=os.environ | {"PYTHONPATH": str(folder)}, capture_output=True, text=True
    )
    report = json.loads(done.stdout)
    assert hashlib.sha256(Path(report["artifact"]).read_bytes()).hexdigest() == report["digest"]
    bill = json.loads(Path(report["path"]).read_text())
    assert bill["metadata"]["component"]["hashes"][0]["content"] == report["digest"]


def test_without_an_engine_that_answers_there_is_one_line_and_the_report_all_the_same(folder, tmp_path):
    done = build(
        folder, "--cloud", "aws", "--report", "--image", environ=engine(tmp_path, "docker", info=1), code=2
    )  # fmt: skip
    assert re.search(r"botocore [0-9.]+ +│ +[0-9.]+ MiB │ +[0-9.]+ MiB │ +[0-9.]+%", done.stdout)
    assert re.search(r"MiB in the zip of the 50.00 MiB that aws takes", done.stdout)
    assert done.stderr.splitlines()[-1].startswith(f"twofold: no container engine answers ({tmp_path}")
    assert "allowed: aws, azure" in build(folder, "--cloud", "gcp", environ={}, code=2).stderr
