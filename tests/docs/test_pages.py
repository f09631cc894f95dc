"""What every page keeps to: two screens, links and files that are there, a way out when it does not work."""

import ast
import math
import re

import pytest

from tests.copies.copy import ROOT
from tests.docs.pages import DOCS, PAGES, name

MAX_LINES, COLUMNS = 130, 120
"""Two screens: of so many lines, where a longer one takes several."""
REFERENCES = {"config.md", "design.md", "parity.md", "plain-commands.md", "problems.md", "runbook.md"}
"""Pages to look something up in; every other one is a task's."""
TREE = r"`((?:api|bench|docs|observe|stacks|tests|tools|twofold)/[\w./-]+)(?:::\w+)?`"
ELSEWHERE = {"docs/certified/"}
"""Written by a command that the page tells of."""


def anchors(page):
    """The fragments that GitHub gives a page's headings."""
    text = re.sub(r"(?ms)^```.*?^```$", "", page.read_text())
    headings = [heading.strip().lower() for heading in re.findall(r"(?m)^#+ (.+)$", text)]
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in headings}


def links(page):
    """Each relative link: the page or file it leads to, and the fragment."""
    targets = re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)", page.read_text())
    return [((page.parent / target).resolve() if target else page, fragment) for target, fragment in targets]


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_it_has_two_screens(page):
    lines = page.read_text().splitlines()
    assert sum(max(1, math.ceil(len(line) / COLUMNS)) for line in lines) <= MAX_LINES


@pytest.mark.parametrize("page", [*PAGES, ROOT / "SECURITY.md"], ids=name)
def test_its_links_and_files_are_there(page):
    for target, fragment in links(page):
        assert target.exists(), target
        assert not fragment or fragment in anchors(target), f"{name(target)} has no section #{fragment}"
    if page.is_relative_to(ROOT / "twofold"):
        return  # another tree's
    named = set(re.findall(TREE, page.read_text())) - ELSEWHERE
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", [page for page in DOCS.glob("*.md") if page.name not in REFERENCES], ids=name)
def test_it_says_what_to_do_when_it_does_not_work(page):
    assert re.search(r"(?m)^## When (it|one|nothing|something) ", page.read_text())


def test_every_page_is_reached_from_the_readme():
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page not in reached and page.suffix == ".md":
            reached.add(page)
            waiting += [target for target, _ in links(page)]
    assert {page for page in PAGES if page.is_relative_to(DOCS)} <= reached


def test_each_problem_has_its_section():
    """Those that the kit answers with, read from its source, and those that FastAPI's own errors become."""
    types = {"not-found", "method-not-allowed"}
    for file in (ROOT / "twofold").rglob("*.py"):
        if "template" in file.parts:
            continue  # a service's own
        for call in ast.walk(ast.parse(file.read_text())):
            if (
                isinstance(call, ast.Call)
                and getattr(call.func, "id", "") in ("Problem", "_problem")
                and len(call.args) > 2
            ):
                types |= {arg.value for arg in call.args[1:2] if isinstance(arg, ast.Constant)}
    sections = re.findall(r"(?m)^## (\S+)$", (DOCS / "problems.md").read_text())
    assert len(types) > 20 and sorted(sections) == sorted(types)


def test_each_target_of_make_is_shown_as_plain_commands():
    targets = re.findall(r"(?m)^([a-z-]+):.*##", (ROOT / "Makefile").read_text())
    shown = re.findall(r"`make ([a-z-]+)", (DOCS / "plain-commands.md").read_text())
    assert len(targets) > 15 and set(targets) <= set(shown)
