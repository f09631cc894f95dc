"""`python -m tests.parity.matrix [--check]`: the parity matrix, made of `capabilities.yaml` and the last run's results.

Writes `docs/parity.md` and what `twofold parity` shows; with `--check` only tells whether they are current, exit code 1 if not.
"""

import argparse
import json
import sys
from fnmatch import fnmatchcase
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / ".build/test-results.json"
PAGE, DATA = ROOT / "docs/parity.md", ROOT / "twofold/cli/parity.json"
CAPABILITIES = Path(__file__).with_name("capabilities.yaml")
HOMES = ("local", "azure", "aws")
SUITES = {
    "local": "tests/conformance/test_sqlite.py",
    "azure": "tests/conformance/test_cosmos.py",
    "aws": "tests/conformance/test_dynamodb.py",
}
INTRODUCTION = (
    "Made by `make parity` from the last run of the tests: ✓ proved by tests, – deliberately absent, *not yet* open.",
    "Which tests: `twofold parity --tests`. Local is SQLite and files; Azure and AWS are emulators, protocol fakes and the",
    "real Pulumi engine: nothing here has run on a real account.",
)
MARKS = {"proved": "✓", "absent": "–", "open": "not yet", "failed": "✗"}


class Undecided(Exception):
    """The last run can't tell: a test that a cell rests on was skipped or is not in it."""


def groups():
    """The groups of capabilities.yaml: [{group, rows: [{what, local, azure, aws}]}], `conformance` resolved into the three."""
    groups = yaml.safe_load(CAPABILITIES.read_text())
    for group in groups:
        for row in group["rows"]:
            if (suite := row.pop("conformance", None)) is not None:
                row.update({home: f"{file}::{suite}" for home, file in SUITES.items()})
            if (everywhere := row.pop("everywhere", None)) is not None:
                row.update(dict.fromkeys(HOMES, everywhere))
    return groups


def cell(stated, results):
    """A cell of the matrix: {status, tests or reason}. Raises Undecided."""
    if isinstance(stated, dict):
        [(status, reason)] = stated.items()
        return {"status": {"absent": "absent", "not yet": "open"}[status], "reason": reason}
    tests, outcomes = {}, set()
    for pattern in [stated] if isinstance(stated, str) else stated:
        matched = {
            test_id: outcome
            for test_id, outcome in results.items()
            if fnmatchcase(test_id, pattern.replace("[", "[[]"))
        }
        if not matched:
            raise Undecided(f"no test of the last run is {pattern}")
        outcomes |= set(matched.values())
        tests[pattern] = len(matched)
    if "failed" in outcomes:
        return {"status": "failed", "tests": sorted(tests)}
    if "skipped" in outcomes:
        raise Undecided(f"tests of {', '.join(sorted(tests))} were skipped")
    return {"status": "proved", "tests": sorted(tests)}


def matrix(results):
    """The whole matrix: [{group, rows: [{what, local, azure, aws}]}] with a cell for each home."""
    return [
        {
            "group": group["group"],
            "rows": [{"what": row["what"], **{home: cell(row[home], results) for home in HOMES}} for row in group["rows"]],
        }
        for group in groups()
    ]  # fmt: skip


def page(table):
    """The matrix as Markdown: a table a group, reasons below as notes."""
    notes, lines = [], ["# Parity", "", *INTRODUCTION, ""]
    for group in table:
        lines += [f"| {group['group']} | local | Azure | AWS |", "|---|---|---|---|"]
        for row in group["rows"]:
            cells = []
            for home in HOMES:
                mark = MARKS[row[home]["status"]]
                if reason := row[home].get("reason"):
                    if reason not in notes:
                        notes.append(reason)
                    mark += f" <sup>{notes.index(reason) + 1}</sup>"
                cells.append(mark)
            lines.append(f"| {row['what']} | {' | '.join(cells)} |")
        lines.append("")
    lines += [f"{number}. {note}" for number, note in enumerate(notes, 1)]
    return "\n".join(lines).rstrip() + "\n"


def main():
    """Writes, or checks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    if not RESULTS.is_file():
        sys.exit("there is no run to make it of; run: make test")
    try:
        table = matrix(json.loads(RESULTS.read_text()))
    except Undecided as exc:
        sys.exit(f"the parity matrix can't be made: {exc}")
    for path, text in ((PAGE, page(table)), (DATA, json.dumps(table, indent=1, ensure_ascii=False) + "\n")):
        if not check:
            path.write_text(text)
        elif not path.is_file() or path.read_text() != text:
            sys.exit(f"{path.relative_to(ROOT)} is not what the tests say; run: make parity")


if __name__ == "__main__":
    main()
