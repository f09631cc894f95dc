"""A package that a first installation lacks is told by every command in a line, with the command that brings it."""

import os
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.copies.copy import ROOT
from tests.integration.cli.commands import pulumi
from twofold.cli import extras, new

CODE = """
import sys
class Without:
    def find_spec(self, name, path=None, target=None):
        if any(name == one or name.startswith(one + ".") for one in {modules}):
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Without())
from twofold.cli.main import main
main()
"""


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    folder = tmp_path_factory.mktemp("new") / "shop"
    new.create(folder, "my-notes")
    path = folder / "api/manifest.py"
    text = path.read_text().replace("import ServiceManifest", "import SecretSpec, ServiceManifest")
    path.write_text(text.replace("scopes=", 'secrets=(SecretSpec("mail-key"),), scopes='))
    return folder


@pytest.fixture(scope="module")
def deployed(tmp_path_factory):
    """The environment in which a stack has been deployed."""
    outputs = {
        "azure": {"releases_url": "https://a.blob.core.windows.net/r", "secrets_url": "keyvault://v.vault.azure.net"},
        "aws": {"releases_url": "s3://bucket", "secrets_url": "secretsmanager://eu-central-1/x"},
    }
    folder = tmp_path_factory.mktemp("bin")
    return {cloud: pulumi(folder / cloud, outputs[cloud] | {"units": {"http": "x"}}) for cloud in outputs}


def typed(folder, words, *modules, **environ):
    return subprocess.run(
        [sys.executable, "-c", CODE.format(modules=modules), *words.split()], cwd=folder, env=os.environ | environ,
        capture_output=True, text=True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "module", "extra", "command"),
    [
        ("describe --cloud azure", "pulumi", "deploy", "make deployable"),
        ("describe --cloud aws", "pulumi_aws", "deploy", "make deployable"),
        ("deployer --cloud azure", "pulumi", "deploy", "make deployable"),
        ("releases --cloud azure", "azure", "azure", "make deployable"),
        ("secret list --cloud azure", "azure", "azure", "make deployable"),
        ("secret list --cloud aws", "boto3", "aws", "make deployable"),
        ("releases --cloud aws", "boto3", "aws", "make deployable"),
        ("preflight --cloud aws", "boto3", "aws", "make deployable"),
        ("run --port 0", "uvicorn", "local", "make install"),
    ],
)
def test_one_line_names_the_command(service, deployed, words, module, extra, command):
    done = typed(service, words, module, **deployed["azure" if "azure" in words else "aws"])
    line = f"can't be imported: it comes with twofold[{extra}]; run: {command}\n"
    lines = [one for one in done.stderr.splitlines(keepends=True) if not one.startswith("acts ")]
    assert (done.returncode, done.stdout, len(lines)) == (2, "", 1), done.stderr
    assert lines[0].startswith(f"twofold: {module}") and lines[0].endswith(line)


@pytest.mark.parametrize("cloud", ["local", "azure", "aws"])
def test_dev_names_its_own_target(service, cloud):
    done = typed(service, f"dev --cloud {cloud}", "watchfiles")
    assert (done.returncode, done.stdout) == (2, "") and f"run: make dev CLOUD={cloud}" in done.stderr


def test_where_the_command_comes_from(tmp_path):
    assert extras.command("deploy", ROOT) == "make install"  # the kit's own lock has everything
    assert extras.command("deploy", tmp_path) == "pip install 'twofold[deploy]'"


def test_a_module_of_nobody_s_extra_is_no_missing_extra(tmp_path):
    assert extras.missing(ModuleNotFoundError(name="nothing_here"), tmp_path) is None


def test_every_dependency_of_an_extra_is_known():
    """Each distribution that an extra names brings a module that the table has."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    own = {Requirement(text).name for text in project["dependencies"]}
    modules = {module for names in extras.EXTRAS.values() for module in names}
    distributions = packages_distributions()
    for text in [text for texts in project["optional-dependencies"].values() for text in texts]:
        name = Requirement(text).name
        brought = {
            module
            for module, names in distributions.items()
            if canonicalize_name(name) in map(canonicalize_name, names)
        }
        tool = name in ("pip", "uv")  # run, never imported
        assert tool or name in own or brought & {one.partition(".")[0] for one in modules}, name
