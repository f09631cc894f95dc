"""What an artifact does without, how big it is, and that one which was built is deployed again byte for byte."""

import dataclasses
import json
import os
import re
import subprocess
import sys
import zipfile

import pytest

from api.manifest import SERVICE
from tests.copies.copy import ROOT, Copy
from twofold.deploy import package, size, trim
from twofold.deploy.config import StackConfig

OPENS = """
import json, sys
sys.path.insert(0, sys.argv[1])
import boto3, botocore.exceptions
told = {}
for name in sys.argv[2:]:
    try:
        client = boto3.client(name, region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x")
        told[name] = len(client.meta.service_model.operation_names)
    except botocore.exceptions.UnknownServiceError as exc:
        told[name] = str(exc)[:24]
print(json.dumps(told))
"""


def config(cloud="aws", **changes):
    return StackConfig(cloud, "dev", "eu-central-1", "https://issuer.example", "orders", **changes)


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    return Copy(tmp_path_factory.mktemp("copy")).folder


@pytest.fixture(scope="module")
def whole(copy):
    """The artifact for AWS, and its distributions."""
    return package.build(SERVICE, "aws", copy), package.install(copy / "requirements/aws.txt")


def opened(folder, *names):
    done = subprocess.run([sys.executable, "-I", "-c", OPENS, folder, *names], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_every_client_of_the_kit_opens_from_the_artifact_as_from_the_wheels(whole, tmp_path):
    artifact, dependencies = whole
    source = "\n".join(path.read_text() for path in (ROOT / "twofold/aws").glob("*.py"))
    clients = set(re.findall(r"""(?:Client|client_of|client)\(\s*"([a-z0-9-]+)\"""", source))
    assert {"dynamodb", "sqs", "secretsmanager", "events"} <= clients
    zipfile.ZipFile(artifact.path).extractall(tmp_path)
    names = sorted(clients | trim.ITSELF)
    assert opened(tmp_path, *names) == opened(dependencies, *names)
    assert opened(tmp_path, "ec2") == {"ec2": "Unknown service: 'ec2'. "}


def test_a_service_that_some_module_names_stays():
    data = {f"botocore/data/{name}/2020-01-01/service-2.json.gz": b"" for name in ("ec2", "ses", "sts", "sqs")}
    data |= {"botocore/data/endpoints.json": b"", "botocore/data/ses/2020-01-01/examples-1.json": b""}
    code = {
        "api/mail.py": b"client('ses')",
        "botocore/handlers.py": b"'ec2'",
        "opentelemetry/semconv/aws.py": b"'ec2'",
        "notes.txt": b"'sqs'",
    }
    kept = {name.removeprefix("botocore/data/") for name in trim.trimmed(data | code)} - set(code)
    assert kept == {"ses/2020-01-01/service-2.json.gz", "sts/2020-01-01/service-2.json.gz", "endpoints.json"}
    assert trim.trimmed(code) == code


def test_its_size_is_told_by_package(whole):
    artifact, dependencies = whole
    measured = size.measure(artifact.path, SERVICE, "", dependencies)
    shares = {one.package.partition(" ")[0]: one for one in measured.shares}
    with zipfile.ZipFile(artifact.path) as archive:
        infos = archive.infolist()
    assert sum(one.packed for one in measured.shares) == sum(info.compress_size for info in infos)
    assert measured.packed == artifact.path.stat().st_size
    assert measured.unpacked == sum(info.file_size for info in infos)
    mine = [
        info
        for info in infos
        if info.filename.startswith(("api/", "lambda_function", "__pycache__/lambda_function", "twofold.art"))
    ]
    assert shares["orders"].unpacked == sum(info.file_size for info in mine)
    botocore = [info for info in infos if info.filename.startswith(("botocore/", "botocore-"))]
    assert shares["botocore"].unpacked == sum(info.file_size for info in botocore)
    locked = re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements/aws.txt").read_text(), re.MULTILINE)
    assert {re.sub(r"[-_.]+", "-", name).lower() for name in shares} <= {*locked, "twofold", "orders"}


@pytest.mark.parametrize(("limits", "message"), [((5, 1 << 40), "MiB zipped"), ((1 << 40, 5), "MiB unpacked")])
def test_what_the_cloud_would_not_take_is_refused_and_names_the_largest(copy, monkeypatch, limits, message):
    before = set((copy / ".build").glob("*"))
    monkeypatch.setitem(size.LIMITS, "aws", limits)
    with pytest.raises(
        package.PackageError, match=rf"{message}, and aws takes 0; the largest are cryptography [0-9.]+ "
    ):
        package.build(SERVICE, "aws", copy)
    assert set((copy / ".build").glob("*")) == before


def test_a_stack_deploys_the_bytes_that_another_one_built(whole, copy, monkeypatch):
    artifact, _ = whole
    monkeypatch.setattr(package, "build", None)  # nothing is built
    assert package.artifact(SERVICE, config(artifact=artifact.digest), copy) == artifact
    with pytest.raises(package.PackageError) as missing:
        package.artifact(SERVICE, config(artifact="0" * 64), copy)
    message = str(missing.value)
    assert "orders-aws-0000000000000000.zip is missing" in message and "\n" not in message
    assert f"twofold releases --cloud aws --env <its environment> --fetch {'0' * 64}" in message


def test_changed_bytes_are_not_deployed(tmp_path):
    (tmp_path / ".build").mkdir()
    (tmp_path / ".build" / f"orders-aws-{'a' * 16}.zip").write_bytes(b"other")
    with pytest.raises(package.PackageError, match="does not have the digest"):
        package.artifact(SERVICE, config(artifact="a" * 64), tmp_path)


def test_the_last_ones_stay_and_what_is_deployed_counts_as_last(whole, tmp_path):
    artifact, _ = whole
    folder = tmp_path / ".build"
    folder.mkdir()
    pinned = folder / artifact.path.name
    pinned.write_bytes(artifact.path.read_bytes())
    os.utime(pinned, (1, 1))
    for age, name in enumerate(("orders-aws", "orders-aws", "orders-aws", "orders-azure", "notes-aws")):
        for suffix in (".zip", ".cdx.json"):
            path = folder / f"{name}-{age:016x}{suffix}"
            path.touch()
            os.utime(path, (100 + age, 100 + age))
    package.artifact(SERVICE, config(artifact=artifact.digest, releases=2), tmp_path)
    left = {path.name for path in folder.glob("*.zip")}
    assert left == {
        pinned.name,
        "orders-aws-0000000000000002.zip",
        "orders-azure-0000000000000003.zip",
        "notes-aws-0000000000000004.zip",
    }
    assert {path.name.replace(".cdx.json", ".zip") for path in folder.glob("*.cdx.json")} == left - {pinned.name}


def test_an_image_needs_no_zip(tmp_path):
    image = f"company.azurecr.io/orders@sha256:{'b' * 64}"
    artifact = package.artifact(SERVICE, dataclasses.replace(config("azure"), image=image), tmp_path)
    assert artifact.digest == "b" * 64 and not (tmp_path / ".build").exists()
