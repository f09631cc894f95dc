"""`python tools/release_notes.py v1.2.3`: what the changelog says of that version, which must be the tree's and have a date."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def notes(tag: str, changelog: str, version: str) -> str:
    """The section of a tag's version; ValueError says what is wrong with it."""
    wanted = tag.removeprefix("v")
    if wanted != version:
        raise ValueError(f"the tag is {tag}, but the tree's version is {version}")
    match = re.search(rf"^## {re.escape(wanted)}, (.+)\n(?s:(.*?))(?=^## |\Z)", changelog, re.MULTILINE)
    if match is None:
        raise ValueError(f"CHANGELOG.md has no section '## {wanted}, <date>'")
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", match[1]):
        raise ValueError(f"CHANGELOG.md says of {wanted}: {match[1]!r}; put the date of the release there")
    return match[2].strip() + "\n"


if __name__ == "__main__":
    from twofold import __version__

    try:
        print(notes(sys.argv[1], (ROOT / "CHANGELOG.md").read_text(), __version__), end="")
    except ValueError as exc:
        sys.exit(str(exc))
