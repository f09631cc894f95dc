"""The language host's stand-in is as strict as the real one, and fails as that does; with the real one on PATH it is that."""

import subprocess

import pytest
import uv

from tests.copies.copy import ROOT
from tests.host.terminal import Terminal, counts

PROJECT = """name: small
runtime:
  name: python
  options: {}
"""
PROGRAM = """
import pulumi
from pulumi import dynamic

class Provider(dynamic.ResourceProvider):
    def create(self, props):
        return dynamic.CreateResult("one", props)

class One(dynamic.Resource):
    pass

One(Provider(), "one", {})
pulumi.export("file", __file__)
"""


@pytest.fixture
def project(tmp_path):
    """A program of one dynamic resource, in a folder below a project's own."""
    folder = tmp_path / "above/project"
    (folder / "below").mkdir(parents=True)
    (folder / "below/__main__.py").write_text(PROGRAM)
    (folder / "__main__.py").write_text(PROGRAM)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    terminal = Terminal(folder, tmp_path / "home")
    yield terminal
    terminal.close()


def configure(terminal, options, main=""):
    text = PROJECT.format(options)
    (terminal.project / "Pulumi.yaml").write_text(f"main: {main}\n{text}" if main else text)
    terminal("pulumi stack init dev")


def test_a_program_beside_its_environment_runs_and_a_bare_file_is_all_that_it_knows_of_itself(project):
    configure(project, "{toolchain: pip, virtualenv: .venv}")
    assert counts(project("pulumi up --yes")) == {"created": 2}
    assert project("pulumi stack output file").strip() == str(project.project / "__main__.py")


def test_a_program_in_a_folder_is_run_by_its_bare_name_and_its_dynamic_resources_find_no_environment(project):
    configure(project, "{toolchain: pip, virtualenv: .venv}", main="below/__main__.py")
    assert "below/.venv" in project("pulumi preview", fails=True)
    (project.project / "below/__main__.py").write_text("import pulumi\npulumi.export('file', __file__)")
    project("pulumi up --yes")
    assert project("pulumi stack output file").strip() == "__main__.py"


def test_an_environment_without_pip_is_refused(project):
    (project.project / ".venv").unlink()
    subprocess.run(
        [uv.find_uv_bin(), "venv", "-q", "--python", ROOT / ".venv/bin/python", ".venv"],
        cwd=project.project,
        check=True,
    )
    configure(project, "{toolchain: pip, virtualenv: .venv}")
    assert "pip list" in project("pulumi preview", fails=True)


def test_a_lock_in_a_folder_above_chooses_another_toolchain_unless_one_is_said(project):
    (project.project.parent / "poetry.lock").write_text("")
    configure(project, "{virtualenv: .venv}")
    assert "poetry" in project("pulumi preview", fails=True)
    (project.project / "Pulumi.yaml").write_text(PROJECT.format("{toolchain: pip, virtualenv: .venv}"))
    assert counts(project("pulumi preview")) == {"create": 2}
