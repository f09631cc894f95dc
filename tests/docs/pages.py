"""The pages that a stranger reads."""

from tests.copies.copy import ROOT

DOCS = ROOT / "docs"
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted(DOCS.rglob("*.md")),
    ROOT / "twofold/cli/template/README.md",
]


def name(page):
    """A page's path in the tree."""
    return page.relative_to(ROOT).as_posix()
