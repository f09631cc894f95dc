"""What a release rests on: hashed locks, update rules for everything pinned, and a threat model whose tests exist."""

import re

import pytest
import yaml

from tests.copies.copy import ROOT

LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_pin_has_its_hashes(lock):
    text = "\n".join(line for line in lock.read_text().splitlines() if not line.lstrip().startswith("#"))
    entries = re.split(r"\n(?=\S)", text.strip())
    assert len(entries) > 10
    for entry in entries:
        pin, *hashes = [line.strip().removesuffix("\\").strip() for line in entry.splitlines()]
        assert re.fullmatch(r"[a-z0-9-]+(\[[a-z0-9,-]+\])?==[^ ]+( ; .+)?", pin), pin
        assert hashes and all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", one) for one in hashes), pin
    assert "://" not in text and "@ " not in text


def test_updates_are_asked_for_wherever_something_is_pinned():
    updates = yaml.safe_load((ROOT / ".github/dependabot.yml").read_text())["updates"]
    ecosystems = {(one["package-ecosystem"], one["directory"]) for one in updates}
    pinned = {"pyproject.toml": "pip", "go.mod": "gomod", "package.json": "npm"}
    expected = {
        (kind, "/" + path.parent.relative_to(ROOT).as_posix().removeprefix("."))
        for name, kind in pinned.items()
        for path in (ROOT / name, *(ROOT / "tools").rglob(name), *(ROOT / "twofold/emulators").rglob(name))
        if path.is_file() and "node_modules" not in path.parts
    }
    assert ecosystems == expected | {("github-actions", "/")}


def test_the_threat_models_tests_exist():
    rows = re.findall(r"^\| (?!threat)(.+?) \| (.+?) \| (.+?) \|$", (ROOT / "SECURITY.md").read_text(), re.MULTILINE)
    assert len(rows) >= 15
    for threat, _control, tests in rows:
        named = re.findall(r"`(tests/[^`:]+)(?:::(\w+))?`", tests)
        assert named, threat
        for file, test in named:
            text = (ROOT / file).read_text()
            assert re.search(rf"def {test or 'test_'}", text), f"{threat}: {file} has no {test}"
