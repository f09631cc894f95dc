"""The pipelines: linted, and each shell step run with `pulumi`, `gh`, `make` and `twofold` in the place of the real ones."""

import os
import stat
import subprocess

import pytest
import yaml

from tests.copies.copy import ROOT
from tests.emulators.tool import needing
from tools import actionlint
from tools.release_notes import notes

FOLDER = ROOT / ".github/workflows"
FILES = sorted(FOLDER.glob("*.yml"))
RECORDER = """#!/bin/sh
echo "$(basename "$0") $*" >> "$RECORD"
case "$(basename "$0") $1" in
  "twofold build") echo '{"digest": "'"$3"'-digest"}' ;;
  "pulumi preview") echo "Resources: 3 to create" ;;
esac
[ "$(basename "$0") $1" != "$FAIL" ]
"""


def steps():
    for path in FILES:
        for job, content in yaml.safe_load(path.read_text())["jobs"].items():
            for index, step in enumerate(content.get("steps", ())):
                if "run" in step:
                    yield pytest.param(step["run"], id=f"{path.stem} {job} {step.get('name', index)}")


def step(file, name):
    [job] = yaml.safe_load((FOLDER / file).read_text())["jobs"].values()
    return next(one["run"] for one in job["steps"] if one.get("name") == name)


@pytest.fixture
def shell(tmp_path):
    """Runs a step's script as the runner does (`bash -e`); returns the exit code and what was called."""
    tools = {"pulumi": tmp_path / "bin", "gh": tmp_path / "bin", "make": tmp_path / "bin"}
    venv = {"twofold": tmp_path / ".venv/bin", "python": tmp_path / ".venv/bin"}
    for name, folder in (tools | venv).items():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(RECORDER)
        (folder / name).chmod((folder / name).stat().st_mode | stat.S_IEXEC)
    (tmp_path / ".ci").mkdir()
    (tmp_path / ".ci/run").write_text("make check\nmake test\n")

    def run(script, **variables):
        record = tmp_path / "called"
        record.write_text("")
        environ = {
            "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}", "RECORD": str(record), "FAIL": "",
            "GITHUB_OUTPUT": str(tmp_path / "output"), "STACK": "dev-azure", "ARTIFACT": "abc", "TAG": "v1.0.0",
            "PULL_REQUEST": "7",
        }  # fmt: skip
        done = subprocess.run(
            ["bash", "-e", "-c", script], cwd=tmp_path, env=environ | variables, capture_output=True, text=True
        )
        return done.returncode, record.read_text().splitlines()

    return run


def test_actionlint_finds_nothing():
    done = subprocess.run([needing(actionlint.find), "-no-color", *FILES], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_actionlint_would_find_something(tmp_path):
    worse = tmp_path / "worse.yml"
    worse.write_text((FOLDER / "stack.yml").read_text().replace("inputs.action", "inputs.act"))
    done = subprocess.run([needing(actionlint.find), "-no-color", worse], capture_output=True, text=True)
    assert done.returncode == 1 and 'property "act" is not defined' in done.stdout


@pytest.mark.parametrize("script", list(steps()))
def test_every_shell_step_runs(shell, script, tmp_path):
    (tmp_path / "preview.txt").write_text("nothing to do\n")
    code, called = shell(script)
    assert code == 0 and (called or "GITHUB_OUTPUT" in script)


@pytest.mark.parametrize(
    ("stack", "variables", "present"),
    [
        ("dev-azure", {"AZURE": "client", "AWS": "", "PULUMI_BACKEND_URL": "azblob://state"}, "true"),
        ("dev-azure", {"AZURE": "", "AWS": "role", "PULUMI_BACKEND_URL": "azblob://state"}, "false"),
        ("prod-aws", {"AZURE": "", "AWS": "role", "PULUMI_BACKEND_URL": "s3://state"}, "true"),
        ("prod-aws", {"AZURE": "", "AWS": "role", "PULUMI_BACKEND_URL": ""}, "false"),
    ],
)
def test_without_a_login_nothing_is_done_and_it_says_so(shell, tmp_path, stack, variables, present):
    code, _ = shell(step("stack.yml", "Is there a login?"), STACK=stack, **variables)
    assert code == 0 and f"present={present}" in (tmp_path / "output").read_text()


def test_the_pinned_artifact_is_what_goes_up(shell):
    _, called = shell(step("stack.yml", "Up"), STACK="prod-aws", ARTIFACT="0123")
    assert called == [
        "pulumi config set --stack prod-aws twofold:artifact 0123",
        "pulumi up --stack prod-aws --yes --non-interactive",
    ]


def test_a_failed_preview_fails_its_step_and_is_still_told(shell, tmp_path):
    code, _ = shell(step("stack.yml", "Preview"), FAIL="pulumi preview")
    assert code != 0 and "3 to create" in (tmp_path / "preview.txt").read_text()
    code, called = shell(step("stack.yml", "Tell it on the pull request"))
    assert code == 0 and called == ["gh pr comment 7 --body-file comment.md"]
    assert "### `dev-azure`" in (tmp_path / "comment.md").read_text()


def test_drift_fails_the_job(shell):
    code, _ = shell(step("stack.yml", "Drift"), FAIL="pulumi preview")
    assert code != 0


def test_both_digests_leave_the_build(shell, tmp_path):
    job = yaml.safe_load((FOLDER / "deploy.yml").read_text())["jobs"]["build"]
    code, _ = shell(next(one["run"] for one in job["steps"] if one.get("id") == "build"))
    assert code == 0 and (tmp_path / "output").read_text() == "azure=azure-digest\naws=aws-digest\n"


def test_no_clouds_key_is_stored():
    """Logins are by OpenID Connect: every job on a stack may ask for a token, and the one secret opens no cloud."""
    text = "".join(path.read_text() for path in FILES)
    secrets = {part.split(" ")[0].split("}")[0] for part in text.split("secrets.")[1:]}
    assert secrets == {"PULUMI_CONFIG_PASSPHRASE"}
    callers = [
        job for path in FILES for job in yaml.safe_load(path.read_text())["jobs"].values() if "stack.yml" in job.get("uses", "")
    ]  # fmt: skip
    assert len(callers) == 5 and all(job["permissions"]["id-token"] == "write" for job in callers)


def test_every_stack_file_is_previewed_and_looked_after():
    stacks = {path.name.split(".")[1] for path in (ROOT / "stacks/config").glob("*.yaml")}
    for file, job in (("ci.yml", "preview"), ("drift.yml", "drift")):
        matrix = yaml.safe_load((FOLDER / file).read_text())["jobs"][job]["strategy"]["matrix"]
        assert set(matrix["stack"]) == stacks


def test_release_notes_are_the_changelogs():
    text = "# Changelog\n\n## 1.1.0, unreleased\n\n- new\n\n## 1.0.0, 2026-12-01\n\n- first\n"
    assert notes("v1.0.0", text, "1.0.0") == "- first\n"
    for tag, version, message in (
        ("v1.1.0", "1.1.0", "put the date"),
        ("v1.0.0", "1.1.0", "version is 1.1.0"),
        ("v2", "2", "no section"),
    ):
        with pytest.raises(ValueError, match=message):
            notes(tag, text, version)
