"""The parity matrix says what the results say; that it is current is checked after the whole suite (`make test`)."""

import json
import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from tests.copies.copy import ROOT
from tests.parity import matrix
from tests.parity.matrix import Undecided, cell
from twofold.cli.main import app


@pytest.mark.parametrize(
    ("stated", "results", "expected"),
    [
        ("t.py::*[aws]", {"t.py::a[aws]": "passed", "t.py::a[azure]": "failed"}, "proved"),
        ("t.py::*", {"t.py::a[aws]": "passed", "t.py::a[azure]": "failed"}, "failed"),
        (["t.py::a", "u.py::*"], {"t.py::a": "passed", "u.py::b": "passed"}, "proved"),
        ({"absent": "a checkout has no gateway"}, {}, "absent"),
        ({"not yet": "nobody has done it"}, {}, "open"),
    ],
)
def test_a_cell_is_what_its_tests_are(stated, results, expected):
    assert cell(stated, results)["status"] == expected


@pytest.mark.parametrize(
    ("results", "message"), [({}, "no test of the last run is t.py::*"), ({"t.py::a": "skipped"}, "were skipped")]
)
def test_what_did_not_run_proves_nothing(results, message):
    with pytest.raises(Undecided) as undecided:
        cell("t.py::*", results)
    assert message in str(undecided.value)


def test_every_capability_is_decided_for_every_home():
    rows = [row for group in matrix.groups() for row in group["rows"]]
    assert len(rows) > 30 and len({row["what"] for row in rows}) == len(rows)
    assert all(set(row) == {"what", *matrix.HOMES} for row in rows)


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_run_of_a_part_renews_its_own_results(tmp_path, workers):
    """Recorded by a real run of pytest, in one process or spread over two: passed, failed in a teardown, skipped."""
    (tmp_path / "conftest.py").write_text(
        "from pathlib import Path\nfrom tests.parity import record\n"
        f"record.RESULTS = Path({str(tmp_path)!r}) / 'results.json'\n"
        "def pytest_configure(config):\n    record.install(config)\n"
    )
    (tmp_path / "results.json").write_text(
        json.dumps({"elsewhere.py::test": "passed", "test_it.py::test_fine": "failed"})
    )
    (tmp_path / "test_it.py").write_text(
        "import pytest\n"
        "@pytest.fixture\ndef broken():\n    yield\n    raise OSError\n"
        "def test_fine(): pass\n"
        "def test_torn(broken): pass\n"
        "def test_left(): pytest.skip('no')\n"
    )
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-n",
        workers,
        "-c",
        "/dev/null",
        "--rootdir",
        str(tmp_path),
        str(tmp_path),
    ]
    subprocess.run(command, cwd=ROOT, capture_output=True)
    assert json.loads((tmp_path / "results.json").read_text()) == {
        "elsewhere.py::test": "passed", "test_it.py::test_fine": "passed", "test_it.py::test_torn": "failed",
        "test_it.py::test_left": "skipped",
    }  # fmt: skip


def test_the_terminal_shows_what_the_page_does():
    shown = CliRunner().invoke(app, ["parity", "--json"])
    groups = json.loads(shown.output)
    assert matrix.page(groups) == (ROOT / "docs/parity.md").read_text()
    table = CliRunner().invoke(app, ["parity"]).output
    assert "Idempotency is fenced" in table and "a checkout has no gateway" in table
    command = [sys.executable, "-m", "twofold.cli.main", "parity", "--tests"]
    wide = subprocess.run(command, cwd=ROOT, env=os.environ | {"COLUMNS": "250"}, capture_output=True, text=True)
    assert "test_cosmos.py::TestIdempotency" in wide.stdout
