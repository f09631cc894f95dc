"""Tracebacks as `twofold dev` shows them: the user's file first, frameworks in a line, the kit's own mistakes whole."""

import contextlib
import importlib.util
import logging
import traceback

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from twofold.emulators.traces import HEAD, Folding
from twofold.http import problem
from twofold.http.lifespan import Lifespan
from twofold.manifest import QueueSpec, load
from twofold.portable.logs import TerminalFormatter

WHOLE = "whole in .build/dev-local.log"


@pytest.fixture
def module(tmp_path):
    """A module of the user's, of this text."""

    def make(text):
        path = tmp_path / "api/own.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        spec = importlib.util.spec_from_file_location("own", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return make


@pytest.fixture
def shown(tmp_path):
    """How a text looks in the end."""

    def fold(text):
        folding = Folding(tmp_path, WHOLE)
        return [one for line in text.split("\n") for one in folding.feed(line)] + folding.flush()

    return fold


def raised(call):
    try:
        call()
    except BaseException as exc:
        return "".join(traceback.format_exception(exc)).rstrip()
    raise AssertionError("it did not raise")


def test_a_request_that_fails_shows_the_line_that_raised_and_counts_the_frameworks(module, shown, caplog):
    own = module("def place(basket):\n    return basket.total\n")
    app = FastAPI()
    problem.install(app)
    app.get("/")(lambda: own.place(None))
    TestClient(problem.boundary(app)).get("/")
    [record] = [one for one in caplog.records if one.exc_info and one.name == "twofold.http"]
    first, *lines = shown(TerminalFormatter().format(record))
    assert "GET / failed" in first
    assert lines[:4] == [
        HEAD, '  File "api/own.py", line 2, in place', "    return basket.total", "           ^^^^^^^^^^^^",
    ]  # fmt: skip
    assert lines[4] == "AttributeError: 'NoneType' object has no attribute 'total'"
    assert lines[5].startswith("… ") and lines[5].endswith(WHOLE) and len(lines) == 6
    assert "fastapi" in lines[5] and "starlette" in lines[5] and "twofold" in lines[5]
    assert record.levelno == logging.ERROR


def test_a_syntax_error_shows_its_file(tmp_path, monkeypatch, shown):
    (tmp_path / "own_syntax.py").write_text("def f():\n    return 1 +\n")
    monkeypatch.syspath_prepend(tmp_path)
    lines = shown(raised(lambda: load("own_syntax:f")))
    assert lines[:3] == [HEAD, '  File "own_syntax.py", line 2', "    return 1 +"]
    assert lines[4] == "SyntaxError: invalid syntax" and lines[5].endswith(WHOLE)


def test_of_a_chain_the_users_exceptions_come_first_and_the_others_in_a_line(module, shown):
    own = module(
        "import json\n"
        "def ask():\n    try:\n        json.loads('{')\n    except ValueError as exc:\n        raise LookupError('no') from exc\n"
        "def answer():\n    try:\n        ask()\n    finally:\n        pass\n"
    )
    lines = shown(raised(own.answer))
    assert lines[1] == '  File "api/own.py", line 4, in ask'
    assert lines[-2:] == ["LookupError: no", lines[-1]] and lines[-1].startswith("… ")
    assert not any("json/decoder.py" in line for line in lines)


def test_what_the_kit_raises_by_mistake_and_what_is_nobodys_code_stay_whole(module, shown):
    own = module("def count(folding):\n    return folding.feed(None)\n")
    mistake = raised(lambda: own.count(Folding.__new__(Folding)))
    assert shown(mistake) == mistake.split("\n")
    nobodys = raised(lambda: TestClient(FastAPI()).build_request("GET", 1))
    assert shown(nobodys) == nobodys.split("\n")


def test_what_the_kit_raises_on_purpose_is_the_users(module, shown):
    own = module("from twofold.errors import ProfileError\ndef f(check):\n    check()\n")
    lines = shown(raised(lambda: own.f(lambda: QueueSpec("NO", "a:b"))))
    assert lines[1] == '  File "api/own.py", line 3, in f'
    assert lines[-2].startswith("twofold.errors.ProfileError: ")


def test_lambdas_form_of_it_is_turned_round(tmp_path, shown):
    frames = [
        '\xa0\xa0File\xa0"/x/site-packages/mangum/adapter.py", line 1, in __call__',
        f'\xa0\xa0File "{tmp_path}/api/own.py", line 2, in f', "\xa0\xa0\xa0\xa0return basket.total",
    ]  # fmt: skip
    lines = shown("\r".join(["[ERROR] AttributeError: no total", HEAD, *frames]))
    assert lines[:4] == [
        HEAD,
        '  File "api/own.py", line 2, in f',
        "    return basket.total",
        "AttributeError: no total",
    ]


def test_other_lines_go_through_at_once_and_a_traceback_ends_where_it_ends(tmp_path, module):
    own = module("def f():\n    return 1 / 0\n")
    folding = Folding(tmp_path, WHOLE)
    assert folding.feed("\x1b[31mred\x1b[0m") == ["\x1b[31mred\x1b[0m"]
    for line in raised(own.f).split("\n"):
        assert folding.feed(line) == []
    assert folding.feed("next")[-3:] == ["ZeroDivisionError: division by zero", "… 1 frame of Python: " + WHOLE, "next"]


async def test_a_lifespan_that_fails_shows_the_line_that_raised(module, shown):
    """What starts the application says so in an error that has the traceback as its text."""
    own = module("async def lifespan(app):\n    raise LookupError('no such thing')\n    yield\n")
    app = FastAPI(lifespan=contextlib.asynccontextmanager(own.lifespan))
    with pytest.raises(RuntimeError) as failed:
        await Lifespan(app).start()
    lines = shown("".join(traceback.format_exception(failed.value)).rstrip())
    assert lines[:3] == [HEAD, '  File "api/own.py", line 2, in lifespan', "    raise LookupError('no such thing')"]
    assert lines[3] == "LookupError: no such thing" and lines[4] == "from RuntimeError: the application failed to start"
    assert lines[5].startswith("… ") and len(lines) == 6
