"""schemathesis over every operation with every check, through all three doors: no 5xx, no undocumented status, no schema violation.

`EXAMPLES` is schemathesis' own number per operation and phase, beside what its coverage phase derives from the document: at 5
that makes 335 test cases for each door, at 165 2,490. `make schemathesis EXAMPLES=1000` looks longer.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.copies.copy import ROOT
from tests.depth import examples
from tests.integration.doors import DOORS, door
from tests.integration.tokens import bearer

EXAMPLES = int(os.environ.get("TWOFOLD_TEST_EXAMPLES", examples(5, 165)))
MINIMUM = min(240 + 11 * EXAMPLES, 1_700)  # of each door: in a deep run more than 5,000 through the three
HERE = Path(__file__).parent


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", DOORS)
def test_every_operation_keeps_its_contract(tmp_path, name):
    with door(name, tmp_path) as url:
        headers = [argument for key, value in bearer(tmp_path).items() for argument in ("-H", f"{key}:{value}")]
        done = subprocess.run(
            [
                Path(sys.executable).with_name("schemathesis"), "--config-file", HERE / "schemathesis.toml", "run",
                ROOT / "openapi.json", "--url", url, "--checks", "all", "--max-examples", str(EXAMPLES), "--seed", "1",
                "--no-color", "--continue-on-failure", "--generation-database", "none", *headers,
            ],
            cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout[done.stdout.find("= FAILURES") :][:4000] + done.stderr[-2000:]
    tested = re.search(r"Tested: (\d+)", done.stdout)
    generated = re.search(r"(\d+) generated", done.stdout)
    assert tested and int(tested[1]) == 9, done.stdout[-3000:]
    assert generated and int(generated[1]) >= MINIMUM, done.stdout[-3000:]
    print(f"{name}: {generated[1]} test cases")
