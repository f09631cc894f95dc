"""What an operator has to go on when something fails: where it was raised, what was down, whose message it was."""

import asyncio
import json
import logging
import subprocess
import sys
from dataclasses import replace
from functools import partial

import httpx
import pytest
from fastapi import FastAPI, Security

from tests.copies.copy import ROOT
from tests.fakes.credential import StaticCredential
from tests.telemetry.test_logs import Lines
from twofold.azure import message_queue as storage
from twofold.bootstrap import bootstrap
from twofold.cli import dead_letters
from twofold.emulators.process import free_port
from twofold.errors import (
    EventsRefused,
    ProfileError,
    PublisherUnavailable,
    QueueUnavailable,
    SecretRefused,
    SecretsUnavailable,
    StoreRefused,
    StoreUnavailable,
)
from twofold.http import problem
from twofold.http.auth import authorize
from twofold.http.health import readiness
from twofold.http.request_log import request_log
from twofold.local.issuer import DevelopmentIssuer
from twofold.manifest import QueueSpec, ServiceManifest
from twofold.portable import message_queue
from twofold.portable.event_store import Event
from twofold.portable.failure import reason
from twofold.portable.feed import Consumer, Feed
from twofold.portable.logs import EcsFormatter, TerminalFormatter
from twofold.portable.message import Message
from twofold.portable.message_queue import Delivery
from twofold.portable.resilience import BulkheadFull, CircuitOpen, Limits, Outbound, OutboundFailed
from twofold.portable.telemetry import OFF
from twofold.runtime import Runtime
from twofold.settings import Settings

MAILS = QueueSpec("mails", "tests.integration.test_incidents:deliver", max_attempts=1, visibility_seconds=5)
MANIFEST = ServiceManifest(
    "t", app="tests.integration.test_incidents:create_app", blocks=frozenset({"documents", "events"}), queues=(MAILS,),
    scopes=("read", "write"),
)  # fmt: skip
raised: list[BaseException] = []


async def deliver(services, message):
    """The worker: raises what the test wants."""
    raise raised[0]


def create_app(services):
    app = FastAPI()
    problem.install(app)

    @app.get("/written", dependencies=[Security(authorize, scopes=["write"])])
    async def written(): ...

    @app.get("/broken", openapi_extra={"security": []})
    async def broken():
        raise RuntimeError("a bug")

    return app


@pytest.fixture
def lines(monkeypatch):
    """Every line that is logged, as deployed."""
    handler, root = Lines(), logging.getLogger()
    handler.setFormatter(EcsFormatter({"service.name": "t", "service.environment": "local"}))
    monkeypatch.setattr(root, "handlers", [handler])
    level = root.level
    root.setLevel(logging.INFO)
    yield handler
    root.setLevel(level)


@pytest.fixture
async def runtime(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runtime = Runtime(MANIFEST, root=tmp_path, environ={})
    yield runtime
    await runtime.stop()


async def work_off(runtime, message, exc):
    """Hands the message to a worker that raises; what is in the queue then, and what is dead."""
    raised[:] = [exc]
    queue = runtime.services.queue
    await queue.send("mails", message)
    [delivery] = await queue.receive("mails")
    assert not await runtime.handle_delivery(MAILS, delivery)
    return await queue.driver.depth("mails"), [
        Message.decode(one.body) for one in await queue.dead_letters("mails", hidden=0)
    ]


async def test_a_dead_letter_says_where_it_was_raised_and_so_does_the_log(runtime, lines):
    _, [letter] = await work_off(runtime, Message("mail", {}, id="m-1"), KeyError("to"))
    assert letter.failure == "KeyError: 'to'"
    assert letter.trace.splitlines()[-1].startswith("tests/integration/test_incidents.py, line ")
    assert letter.trace.endswith("in deliver")
    [line] = [line for line in lines.parsed() if line.get("event.action") == "message"]
    assert "test_incidents.py" in line["error.stack_trace"] and "in deliver" in line["error.stack_trace"]
    [shown] = await dead_letters.read(runtime.services, "mails", only="m-1", limit=10)
    assert shown.facts["trace"] == letter.trace.splitlines()
    [delivery] = await runtime.services.queue.dead_letters("mails", hidden=0)
    await runtime.services.queue.redrive("mails", delivery)
    [redriven] = await runtime.services.queue.receive("mails")
    assert (Message.decode(redriven.body).failure, Message.decode(redriven.body).trace) == (None, None)


async def test_a_message_that_fills_its_envelope_is_dead_lettered_all_the_same(runtime):
    full = Message("mail", {"x": "x" * (48 * 1024 - len(Message("mail", {"x": ""}, id="m").encode("/t")))}, id="m")
    assert len(full.encode("/t")) == 48 * 1024 and len(replace(full, attempt=12).encode("/t")) > 48 * 1024
    with pytest.raises(ProfileError, match="limit"):
        replace(full, id="m-").encode("/t")
    _, [letter] = await work_off(runtime, full, ValueError("y" * 2000))
    assert letter.data == full.data and len(letter.failure) == 1000 and letter.trace.endswith("in deliver")
    [delivery] = await runtime.services.queue.dead_letters("mails", hidden=0)
    await runtime.services.queue.driver.delete(delivery)
    _, [letter] = await work_off(runtime, full, ValueError("😀" * 2000))  # escaped, twelve bytes each
    assert letter.data == full.data and letter.failure.startswith("ValueError: 😀") and letter.trace is None


async def test_a_parked_stream_says_where_it_was_raised_and_so_does_the_log(runtime, lines):
    events = runtime.services.events

    async def project(commit):
        raise ZeroDivisionError

    await events.append("s-1", events.start("s-1"), [Event("A", {})])
    feed = Feed(events, [Consumer("views", project, 1)])
    await feed.process_streams(["s-1"])
    [parked] = await feed.parked("views")
    assert parked.failure == "ZeroDivisionError" and parked.trace.endswith("in project")
    traced = [line for line in map(json.loads, lines.text) if "error.stack_trace" in line]
    assert all(line["error.message"] for line in traced)
    assert len(traced) == 2 and all(
        "in project" in line["error.stack_trace"] for line in traced
    )  # the attempt, and the end


def wrapped(cause):
    """As a handler raises what it makes of it."""
    try:
        raise RuntimeError("no mail went out") from cause
    except RuntimeError as exc:
        return exc


@pytest.mark.parametrize(
    "exc",
    [
        StoreUnavailable("x"), SecretsUnavailable("x"), QueueUnavailable("x"), PublisherUnavailable("x"), CircuitOpen("x"),
        BulkheadFull("x"), wrapped(SecretsUnavailable("x")), wrapped(CircuitOpen("x")),
    ],
    ids=reason,
)  # fmt: skip
async def test_what_is_down_counts_no_attempt(runtime, exc):
    waiting, dead = await work_off(runtime, Message("mail", {}), exc)
    assert (waiting, dead) == (1, [])  # its only attempt is still to come


@pytest.mark.parametrize(
    "exc",
    [
        OutboundFailed("x"), RuntimeError("x"), wrapped(ValueError("x")), EventsRefused("x"), SecretRefused("x"),
        StoreRefused("x"),
    ],
    ids=reason,
)  # fmt: skip
async def test_anything_else_is_an_attempt(runtime, exc):
    assert (await work_off(runtime, Message("mail", {}), exc))[0] == 0


async def test_an_open_breaker_keeps_the_first_cause():
    answers = iter([503, 502, 502])
    outbound = Outbound(
        "mail", "http://m.test", Limits(breaker_failures=3, attempts=1),
        transport=httpx.MockTransport(lambda request: httpx.Response(next(answers))),
    )  # fmt: skip
    for _ in range(3):
        with pytest.raises(OutboundFailed):
            await outbound.request("GET", "/")
    with pytest.raises(CircuitOpen, match="first: mail: it answered 503"):
        await outbound.request("GET", "/")


async def test_what_is_down_for_a_consumer_parks_nothing_and_holds_up_no_other(runtime):
    events, seen, down = runtime.services.events, [], [QueueUnavailable("down")]

    async def send(commit):
        if down:
            raise wrapped(down[0])
        seen.append("sent")

    async def project(commit):
        seen.append(commit.stream)

    for stream in ("s-1", "s-2"):
        await events.append(stream, events.start(stream), [Event("A", {})])
    feed = Feed(events, [Consumer("outbox", send, 5), Consumer("views", project, 5)])
    with pytest.raises(StoreUnavailable, match="consumer outbox waits: QueueUnavailable: down"):
        await feed.process_streams(["s-1", "s-2"])
    assert sorted(seen) == ["s-1", "s-2"] and await feed.parked("outbox") == []
    down.clear()
    await feed.process_streams(["s-1", "s-2"])
    assert sorted(seen) == ["s-1", "s-2", "sent", "sent"]


async def test_somebody_elses_open_breaker_parks_since_it_must_not_hold_up_read_models(runtime):
    async def call(commit):
        raise CircuitOpen("mail is not asked")

    events = runtime.services.events
    await events.append("s-1", events.start("s-1"), [Event("A", {})])
    feed = Feed(events, [Consumer("mailer", call, 1)])
    await feed.process_streams(["s-1"])
    assert [one.failure for one in await feed.parked("mailer")] == ["CircuitOpen: mail is not asked"]


class Hanging:
    """A queue that takes connections and answers nothing."""

    system = "hanging"

    def __getattr__(self, name):
        async def hang(*arguments, **options):
            await asyncio.Event().wait()

        return hang

    async def close(self): ...


DELIVERY = Delivery("mails", Message("mail", {}, id="m-1").encode("/t"), "receipt")


async def test_the_queue_is_a_dependency_that_is_not_critical(runtime, tmp_path):
    assert [one.name for one in (await readiness(runtime.services)).dependencies] == ["store", "queue"]
    assert (await readiness(runtime.services)).status == "ready"
    where = f"storagequeue://127.0.0.1:{free_port()}/a/t"
    refusing = storage.from_url(where, StaticCredential())
    services = bootstrap(Settings.load({}, MANIFEST, tmp_path), MANIFEST, queue_driver=refusing)
    ready = await readiness(services)
    assert ready.status == "degraded"
    assert {one.name: one.status for one in ready.dependencies} == {"store": "up", "queue": "down"}
    await services.close()


async def test_a_unit_that_may_only_send_sees_that_the_queue_answers(azurite):
    """Azure's service refuses it the look, and with that has answered."""

    class Refusing(storage.StorageQueueDriver):
        def _queue(self, queue):
            from azure.core.exceptions import HttpResponseError

            class Client:
                async def get_queue_properties(self):
                    refused = HttpResponseError("403")
                    refused.error_code = "AuthorizationPermissionMismatch"
                    raise refused

            return Client()

    await Refusing("https://a.queue.core.windows.net/", "t").ping("mails")


async def test_a_queue_that_does_not_answer_is_told_in_time(tmp_path, monkeypatch):
    monkeypatch.setattr(message_queue, "DEADLINE_SECONDS", 0.01)
    services = bootstrap(Settings.load({}, MANIFEST, tmp_path), MANIFEST, queue_driver=Hanging())
    raised[:] = [KeyError("to")]
    for call in (
        services.queue.send("mails", Message("mail", {})),
        services.queue.receive("mails"),
        services.queue.redrive("mails", DELIVERY),
        services.queue.handle(DELIVERY, partial(deliver, services)),
        services.queue.handle(DELIVERY, lambda message: asyncio.sleep(0)),
        dead_letters.read(services, "mails", only=None, limit=10),
        dead_letters._count(services, "mails"),
        dead_letters._letter(services, "mails", DELIVERY).discard(),
        dead_letters._letter(services, "mails", DELIVERY).release(),
    ):
        with pytest.raises(QueueUnavailable, match="did not answer within"):
            async with asyncio.timeout(5):
                await call
    failures = await services.queue.send_batch("mails", [Message("mail", {})] * 25)
    assert [str(one) for one in failures] == ["the queue did not answer within 0.01 seconds"] * 25
    await services.close()


async def test_azures_sdk_makes_no_long_pause_before_it_asks_again(monkeypatch):
    slept, sleep = [], asyncio.sleep

    async def noting(seconds, *rest):
        slept.append(seconds)
        await sleep(0)

    monkeypatch.setattr("asyncio.sleep", noting)
    driver = storage.from_url(f"storagequeue://127.0.0.1:{free_port()}/a/t", StaticCredential())
    with pytest.raises(QueueUnavailable, match="does not answer"):
        await driver.send("mails", "{}", delay=0)
    await driver.close()
    assert sum(slept) < 1


async def bury(runtime, *ids):
    for message_id in ids:
        letter = Message("mail", {}, id=message_id, failure="KeyError")
        await runtime.services.queue.driver.send("mails-poison", letter.encode("/t"), delay=0)


async def test_an_id_is_never_cut(runtime, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "40")
    long = "order-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789"
    await bury(runtime, long)
    dead_letters.show(await dead_letters.read(runtime.services, "mails", only=None, limit=10))
    assert long in capsys.readouterr().out


async def test_the_first_letters_of_an_id_will_do(runtime):
    services = runtime.services
    await bury(runtime, "abc-1", "abc-2", "abc", "xyz-1")
    for only, ids in (("x", ["xyz-1"]), ("abc-2", ["abc-2"]), ("abc", ["abc"])):
        assert [one.id for one in await dead_letters.read(services, "mails", only=only, limit=10)] == ids
    for only, message in (
        ("ab", "3 dead letters of mails begin with 'ab': abc, abc-1, abc-2"),
        ("no", "no dead letter"),
    ):
        with pytest.raises(dead_letters.NotOne, match=message):
            await dead_letters.act(services, "mails", "discard", only=only, limit=10, rate=1000)
    assert await dead_letters.act(services, "mails", "discard", only="xyz", limit=10, rate=1000) == 1
    left = await dead_letters.read(services, "mails", only=None, limit=10)
    assert sorted(one.id for one in left) == ["abc", "abc-1", "abc-2"]


KILLED = """
import asyncio, logging, os, signal
from pathlib import Path
from tests.integration import test_incidents
from twofold.portable.message import Message
from twofold.portable.message_queue import Delivery
from twofold.runtime import Runtime

async def deliver(services, message):
    os.kill(os.getpid(), signal.SIGKILL)

async def main():
    logging.basicConfig(level=logging.INFO)
    test_incidents.deliver = deliver
    runtime = Runtime(test_incidents.MANIFEST, root=Path.cwd(), environ={})
    runtime.format_logs()
    await runtime.services.queue.send("mails", Message("mail", {}, id="m-killer"))
    [delivery] = await runtime.services.queue.receive("mails")
    await runtime.handle_delivery(test_incidents.MAILS, delivery)

asyncio.run(main())
"""


def test_a_worker_that_kills_its_process_leaves_its_messages_id(tmp_path):
    environ = {"PYTHONPATH": str(ROOT), "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", KILLED], cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == -9, done.stderr
    last = json.loads(done.stderr.splitlines()[-1])
    assert last["message"] == "queue mails: m-killer begins, attempt 1"
    assert (last["labels.queue"], last["labels.message"]) == ("mails", "m-killer")


async def test_a_500_is_an_error_and_a_401_says_why(runtime, lines):
    token = DevelopmentIssuer().token(MANIFEST, scopes=["read"])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(runtime.asgi), base_url="http://t") as client:
        for path, headers in (
            ("/broken", {}),
            ("/written", {}),
            ("/written", {"Authorization": "Bearer no-token"}),
            ("/written", {"Authorization": f"Bearer {token}"}),
            ("/none", {}),
        ):
            await client.get(path, headers=headers)
    requests = [line for line in lines.parsed() if line.get("event.action") == "request"]
    assert [(line["http.response.status_code"], line["log.level"]) for line in requests] == [
        (500, "error"), (401, "info"), (401, "info"), (403, "info"), (404, "info"),
    ]  # fmt: skip
    without, bad, lacking = (line["event.reason"] for line in requests[1:4])
    assert "needs an access token" in without and "token" in bad and lacking == "the token lacks write"
    assert "no-token" not in bad and "event.reason" not in requests[0] and "event.reason" not in requests[4]


async def test_a_reason_is_seen_at_a_terminal(runtime, lines):
    lines.setFormatter(TerminalFormatter())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(runtime.asgi), base_url="http://t") as client:
        await client.get("/written")
    assert any("needs an access token" in text for text in lines.text)


async def test_a_probe_that_breaks_is_an_error(lines):
    async def broken(scope, receive, send):
        await send({"type": "http.response.start", "status": 500, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    app = request_log(broken, OFF, "t")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://t") as client:
        await client.get("/health/live")
    [line] = [line for line in lines.parsed() if line.get("event.action") == "request"]
    assert line["log.level"] == "error"


@pytest.mark.parametrize(
    ("exc", "text"), [(KeyError("x"), "KeyError: 'x'"), (TimeoutError(), "TimeoutError"), (ValueError(" "), "ValueError")]
)  # fmt: skip
def test_a_reason_is_never_empty(exc, text):
    assert reason(exc) == text


async def test_a_worker_that_takes_too_long_is_told_so(runtime, monkeypatch):
    async def slow(services, message):
        await asyncio.Event().wait()

    monkeypatch.setattr(sys.modules[__name__], "deliver", slow)
    spec = QueueSpec("mails", MAILS.handler, max_attempts=1, visibility_seconds=1)
    queue = runtime.services.queue
    await queue.send("mails", Message("mail", {}))
    [delivery] = await queue.receive("mails")
    assert not await runtime.handle_delivery(spec, delivery)
    [dead] = await queue.dead_letters("mails")
    assert Message.decode(dead.body).failure == "TimeoutError: it took longer than the queue's 1 seconds"
