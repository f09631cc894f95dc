"""A queue with `once`: a message that is delivered twice is worked off once, whatever else happens to it."""

import asyncio
import sys
import types

import pytest
from fastapi import FastAPI

from twofold.bootstrap import bootstrap
from twofold.manifest import QueueSpec, ServiceManifest
from twofold.portable.message import Message
from twofold.runtime import Runtime
from twofold.settings import Settings

QUEUE = QueueSpec("mails", "once_worker:work", max_attempts=3, visibility_seconds=60, once=True)
MANIFEST = ServiceManifest("once", app="once_worker:app", blocks=frozenset({"documents"}), queues=(QUEUE,))


@pytest.fixture
def worker(monkeypatch):
    module = types.ModuleType("once_worker")
    module.ran, module.failing, module.gate = [], False, None

    async def work(services, message):
        module.ran.append((message.id, message.attempt))
        if module.gate:
            await module.gate.wait()
        if module.failing:
            raise RuntimeError("no")

    module.work, module.app = work, FastAPI()
    monkeypatch.setitem(sys.modules, "once_worker", module)
    return module


@pytest.fixture
async def runtime(tmp_path, worker):
    environ = {f"TWOFOLD_{block}_URL": f"sqlite:///{tmp_path}/store.db" for block in ("STORE", "QUEUE")}
    settings = Settings.load(environ, MANIFEST, tmp_path)
    runtime = Runtime(MANIFEST, root=tmp_path, services=bootstrap(settings, MANIFEST))
    yield runtime
    await runtime.stop()


async def deliver(runtime):
    [delivery] = await runtime.services.queue.receive("mails", limit=1)
    return await runtime.handle_delivery(QUEUE, delivery)


async def test_a_second_delivery_does_nothing(runtime, worker):
    for _ in range(2):
        await runtime.services.queue.send("mails", Message("mail", {"to": "x"}, id="m"))
        assert await deliver(runtime)
    assert worker.ran == [("m", 1)]


async def test_a_failure_is_tried_again(runtime, worker):
    worker.failing = True
    await runtime.services.queue.send("mails", Message("mail", {}, id="m"))
    assert not await deliver(runtime)
    worker.failing = False
    await runtime.services.queue.send("mails", Message("mail", {}, id="m", attempt=2))
    assert await deliver(runtime)
    assert worker.ran == [("m", 1), ("m", 2)]


async def test_two_at_once_run_once_and_the_other_waits(runtime, worker):
    worker.gate = asyncio.Event()
    queue = runtime.services.queue
    for _ in range(2):
        await queue.send("mails", Message("mail", {}, id="m"))
    first = asyncio.create_task(deliver(runtime))
    while not worker.ran:
        await asyncio.sleep(0.01)
    assert not await deliver(runtime)
    worker.gate.set()
    assert await first
    assert worker.ran == [("m", 1)]
    assert await queue.driver.depth("mails") == 1  # it waits: no attempt is lost, nothing is dead
    assert await queue.dead_letters("mails") == []


async def test_another_message_under_the_id_is_a_failure(runtime, worker):
    await runtime.services.queue.send("mails", Message("mail", {"to": "x"}, id="m"))
    assert await deliver(runtime)
    await runtime.services.queue.send("mails", Message("mail", {"to": "y"}, id="m", attempt=3))
    assert not await deliver(runtime)
    [dead] = await runtime.services.queue.dead_letters("mails")
    assert "FingerprintMismatch" in Message.decode(dead.body).failure


def test_it_needs_a_place_for_its_records():
    with pytest.raises(ValueError, match="needs the block 'documents'"):
        ServiceManifest("once", app="a:b", queues=(QUEUE,))
