"""Handlers are looked at before there is work for them: what can't be called fails no message, the process does not start."""

import sys
import types

import pytest
from fastapi import FastAPI

from api.manifest import SERVICE
from twofold import handlers
from twofold.aws.door import lambda_handler
from twofold.azure.door import function_app
from twofold.errors import HandlerError
from twofold.manifest import ConsumerSpec, ProjectionSpec, QueueSpec, ScheduleSpec, ServiceManifest, SettingSpec
from twofold.portable.message import Message
from twofold.portable.message_queue import dead_letter_name
from twofold.runtime import Runtime


@pytest.fixture
def module(monkeypatch):
    """`work` as a queue, schedule, consumer and projection want it."""
    module = types.ModuleType("handled")

    async def work(services, *rest): ...
    async def one(services): ...
    def plain(services, message): ...

    module.work, module.one, module.plain, module.number, module.app = work, one, plain, 7, FastAPI()
    monkeypatch.setitem(sys.modules, "handled", module)
    return module


def manifest(handler, **changes):
    return ServiceManifest(
        "t", app="handled:app", blocks=frozenset({"documents", "events"}),
        queues=(QueueSpec("mails", handler, unit="mailer"),), **changes,
    )  # fmt: skip


def test_the_services_own_can_be_called():
    assert handlers.problems(SERVICE) == []


@pytest.mark.parametrize(
    ("handler", "message"),
    [
        ("handled:missing", "AttributeError: .*has no attribute 'missing'"),
        ("no_such_module:work", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("handled", "must have the form"),
        ("handled:number", "it is a int, not a function"),
        ("handled:plain", "write async def"),
        ("handled:one", r"called with \(services, message\): too many positional arguments"),
    ],
)
def test_what_can_not_be_called_is_told_in_a_line(module, handler, message):
    [line] = handlers.problems(manifest(handler))
    assert line.startswith(f"queue mails: {handler}: ") and "\n" not in line
    with pytest.raises(HandlerError, match=message):
        handlers.require(manifest(handler))


def test_what_an_import_raises_is_told_with_the_line_of_the_code_that_did(tmp_path, monkeypatch):
    (tmp_path / "broken_worker.py").write_text("import json\n\njson.loads('{')\n")
    monkeypatch.syspath_prepend(tmp_path)
    [line] = handlers.problems(manifest("broken_worker:work"))
    assert "JSONDecodeError" in line and f"({tmp_path}/broken_worker.py, line 3)" in line  # and not json's own


def test_each_kind_and_each_role_has_its_own(module):
    whole = manifest(
        "handled:gone", consumers=(ConsumerSpec("mailer-feed", "handled:gone"),),
        projections=(ProjectionSpec("list", "handled:gone"),), schedules=(ScheduleSpec("tidy", "handled:gone"),),
    )  # fmt: skip
    named = {role: [line.partition(":")[0] for line in handlers.problems(whole, role)] for role in
             ("all", "http", "mailer", "feed", "schedule")}  # fmt: skip
    assert named == {
        "all": ["queue mails", "consumer mailer-feed", "projection list", "schedule tidy"], "http": [],
        "mailer": ["queue mails"], "feed": ["consumer mailer-feed", "projection list"], "schedule": ["schedule tidy"],
    }  # fmt: skip


STORES = {"azure": "cosmos://a.documents.azure.com/t", "aws": "dynamodb://eu-central-1/t"}


async def test_a_message_waits_for_a_handler_that_is_not_there(module, tmp_path):
    file = f"sqlite:///{tmp_path}/t.db"
    runtime = Runtime(
        manifest("handled:gone"), root=tmp_path, environ={"TWOFOLD_QUEUE_URL": file, "TWOFOLD_STORE_URL": file}
    )
    queue = runtime.services.queue
    await queue.send("mails", Message("mail", {}))
    [delivery] = await queue.receive("mails")
    with pytest.raises(HandlerError, match="queue mails: handled:gone"):
        await runtime.handle_delivery(runtime.manifest.queues[0], delivery)
    assert await queue.driver.depth("mails") == 1 and await queue.driver.depth(dead_letter_name("mails")) == 0
    await queue.driver.release(delivery)
    [second] = await queue.receive("mails")
    assert Message.decode(second.body).attempt == 1
    await runtime.stop()


@pytest.mark.parametrize("door", ["azure", "aws"])
def test_a_door_does_not_open_without(module, tmp_path, capsys, monkeypatch, door):
    monkeypatch.setenv("TWOFOLD_STORE_URL", STORES[door])
    monkeypatch.setattr("logging.basicConfig", lambda **_: None)  # of the whole process, which other tests are in
    with pytest.raises(SystemExit):
        {"azure": function_app, "aws": lambda_handler}[door](manifest("handled:gone"), root=tmp_path)
    assert "queue mails: handled:gone: AttributeError" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"blocks": frozenset({"document"})}, "there is no block document; there are documents, events"),
        ({"scopes": ("notes read",)}, "without spaces"),
        ({"scopes": ("notes", "notes")}, "twice"),
        ({"scopes": ("",)}, "printable"),
    ],
)
def test_the_manifest_refuses_what_nothing_knows(changes, message):
    with pytest.raises(ValueError, match=message):
        ServiceManifest("t", app="x:y", **changes)


def test_a_setting_is_named_as_a_variable_can_be():
    with pytest.raises(ValueError, match="setting 'page-size'"):
        SettingSpec("page-size", "how many")
