"""Names say what a thing is: no local, fixture or argument is called by a word that any could be called by."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("twofold", "stacks", "api", "tests", "tools", "bench")
EMPTY = {"found", "made", "given", "told", "both", "said", "again", "anew"}
HIDING = {"id", "open"}
"""Python's own, which such an argument, local or function hides."""


def names(tree):
    """Each name that a file gives to a function, an argument or a local, with its line."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name) | ast.MatchAs(name=str(name)):
                yield name, node.lineno
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name, node.lineno


def attributes(tree):
    """The lines of what belongs to a class: an `id` there is `thing.id`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield from (one.lineno for one in node.body)


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_name_is_a_noun_of_the_thing(folder):
    bad = []
    for path in (ROOT / folder).rglob("*.py"):
        tree = ast.parse(path.read_text())
        own = set(attributes(tree))
        bad += [
            f"{path.relative_to(ROOT)}:{line} {name}"
            for name, line in names(tree)
            if name in EMPTY | HIDING and line not in own
        ]
    assert bad == []
