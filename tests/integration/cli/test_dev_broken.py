"""`twofold dev` while the source is broken: who asks is told at once why, by the file and line, and served once it is mended."""

import re
import threading

import httpx
import pytest

from tests.emulators.tool import needing
from tests.integration.cli.development import WAIT, Development
from twofold.emulators import azurite

LIFESPAN = """
    from contextlib import asynccontextmanager
    @asynccontextmanager
    async def lifespan(app):
        raise LookupError("no such thing")
        yield
    app = FastAPI(lifespan=lifespan, """
BREAKS = {
    "syntax error": ("api/app.py", "return app", "return app +", r"api/app\.py.*line 16"),
    "import error": (
        "api/orders/routes.py",
        "import",
        "import nothing_here\nimport",
        r"api/orders/routes\.py.*line \d+",
    ),
    "import error of the package": ("api/__init__.py", "", "import nothing_here\n", r"api/__init__\.py.*line 1"),
    "error when it is made": ("api/app.py", "problem.install(app)", "problem.install(ap)", r"api/app\.py.*line 14"),
    "error in the lifespan": ("api/app.py", "    app = FastAPI(", LIFESPAN, r"api/app\.py.*line \d+"),
    "manifest": ("api/manifest.py", "queues=(", "queues=(QueueSpec(1),", r"api/manifest\.py.*line 10"),
}


@pytest.fixture(scope="module", params=["local", "azure", "aws"])
def development(request, tmp_path_factory):
    if request.param == "azure":
        needing(azurite.fetch)
    started = Development(tmp_path_factory.mktemp("service"), request.param, terminal=True)
    yield started
    started.end()


def ask(development, **headers):
    """As a caller that keeps no connection."""
    return httpx.get(f"{development.url}/health/live", headers=headers, timeout=WAIT)


@pytest.mark.parametrize("kind", BREAKS)
def test_a_break_is_told_to_whoever_asks_until_it_is_mended(development, kind):
    name, old, new, where = BREAKS[kind]
    assert ask(development).status_code == 200
    path = development.folder / name
    text = path.read_text() or "\n"
    development.heard()
    path.write_text(text.replace(old, new, 1) if old else new)
    development.says("mend it")

    answer = ask(development)
    problem = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert problem["type"] == "urn:twofold:problem:does-not-start"
    assert re.search(where, problem["detail"], re.DOTALL), problem["detail"]
    page = ask(development, Accept="text/html,*/*")
    assert (page.status_code, page.headers["content-type"]) == (500, "text/html; charset=utf-8")
    assert re.search(where, page.text, re.DOTALL) and "<pre>" in page.text

    development.heard()
    path.write_text(text)
    development.says("its docs are at|live after")
    assert ask(development).status_code == 200


def test_a_request_that_waited_while_it_broke_is_told_too(development):
    """It starts, and ends at the mistake only when it has been asked: nothing of it depends on who is faster."""
    slow = "import pathlib, time\n    while not pathlib.Path('go').exists(): time.sleep(0.05)\n    return app + nothing"
    development.write("api/app.py", "return app", slow)
    answers = []
    development.says("")
    caller = threading.Thread(target=lambda: answers.append(first_answer(development)))
    caller.start()
    (development.folder / "go").touch()
    development.says("mend it")
    caller.join(WAIT)
    development.write("api/app.py", slow, "return app")
    development.says("live after")
    [answer] = answers
    assert answer.status_code == 500 and "api/app.py" in answer.json()["detail"]


def test_a_request_that_fails_shows_the_line_that_raised_on_the_terminal_and_all_of_it_in_the_log(development):
    development.write(
        "api/app.py",
        "    return app",
        "    @app.get('/fails')\n    def fail() -> int:\n        return 1 // 0\n\n    return app",
    )
    development.says("live after")
    development.heard()
    assert httpx.get(f"{development.url}/fails", timeout=WAIT).status_code == 500
    development.says(
        r"error +GET /fails failed.*\n"
        r"Traceback \(most recent call last\):\n"
        r'  File "api/app\.py", line 18, in fail\n'
        r"    return 1 // 0\n +~+\^+~+\n"
        r"ZeroDivisionError: .*\n"
        r"… \d+ frames of .*fastapi.*starlette.*twofold: whole in \.build/dev-\w+\.log"
    )
    [log] = (development.folder / ".build").glob("dev-*.log")
    assert "starlette/routing.py" in log.read_text()
    development.write("api/app.py", "    @app.get('/fails')\n    def fail() -> int:\n        return 1 // 0\n\n", "")
    development.says("live after")


def first_answer(development):
    """The first answer that comes from no process that just ends."""
    while True:
        try:
            answer = ask(development)
        except httpx.TransportError:
            continue
        if answer.status_code == 500 and "application/problem+json" in answer.headers["content-type"]:
            return answer
