"""Log lines: ECS by a schema, one for each request, message, commit and run, and nothing in them that is secret."""

import json
import logging
import sys
from pathlib import Path

import httpx
import jsonschema
import pytest

from api.manifest import SERVICE
from tests.cost import growth
from tests.integration.tokens import bearer
from tests.telemetry.recorded import TRACE, play
from twofold import ServiceManifest
from twofold.portable import logs
from twofold.portable.logs import REDACTED, EcsFormatter, TerminalFormatter, conceal, redact
from twofold.portable.message import Message
from twofold.runtime import Runtime

SCHEMA = jsonschema.Draft202012Validator(json.loads(Path(__file__).with_name("log-line.schema.json").read_text()))
JWT = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJjLTEifQ.c2lnbmF0dXJl"


class Lines(logging.Handler):
    """Keeps what a handler would write."""

    def __init__(self):
        super().__init__()
        self.text = []

    def emit(self, record):
        self.text.append(self.format(record))

    def parsed(self):
        lines = [json.loads(text) for text in self.text]
        for line in lines:
            SCHEMA.validate(line)
        return lines


@pytest.fixture
def lines(monkeypatch):
    handler, root = Lines(), logging.getLogger()
    monkeypatch.setattr(root, "handlers", [handler])
    level = root.level
    root.setLevel(logging.INFO)  # and not by its attribute: loggers remember what they were asked for before
    yield handler
    root.setLevel(level)


@pytest.fixture
async def runtime(tmp_path, monkeypatch, lines):
    monkeypatch.chdir(tmp_path)
    bearer(tmp_path)
    runtime = Runtime(SERVICE, root=tmp_path, environ={})
    runtime.format_logs()
    yield runtime
    await runtime.stop()


async def test_each_request_message_commit_and_run_is_a_line_in_one_trace(runtime, tmp_path, lines):
    stream = await play(runtime, tmp_path)
    await runtime.run_schedule("expire-unpaid")
    records = [line for line in lines.parsed() if "event.action" in line]
    actions = [line["event.action"] for line in records]
    assert (actions.count("request"), actions.count("message"), actions.count("schedule")) == (4, 1, 1)
    # Three commits, of each three consumers are told.
    assert actions.count("commit") == 9
    assert {line["trace.id"] for line in records if line["event.action"] != "schedule"} == {TRACE}
    assert all(line["event.outcome"] == "success" and line["event.duration"] > 0 for line in records)
    [placed] = [line for line in records if line.get("url.path") == "/orders"]
    assert (placed["http.response.status_code"], placed["labels.route"], placed["service.name"]) == (
        201,
        "/orders",
        "orders",
    )
    assert len(placed["user.hash"]) == 16 and {line["user.hash"] for line in records if "user.hash" in line} == {
        placed["user.hash"]
    }
    [message] = [line for line in records if line["event.action"] == "message"]
    assert (message["labels.queue"], message["labels.attempt"], message["labels.message"]) == (
        "payments", "1", f"{stream.removeprefix('order-')}-1",
    )  # fmt: skip


async def test_a_line_tells_no_body_header_query_or_subject(runtime, tmp_path, lines):
    token = bearer(tmp_path)["Authorization"]
    headers = {"Authorization": token, "Cookie": "session=planted-cookie", "X-Api-Key": "planted-header"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(runtime.asgi), base_url="http://test") as client:
        order = {
            "customer_id": "c-1",
            "currency": "EUR",
            "lines": [{"sku": "planted-body", "quantity": 1, "unit_price": 1}],
        }
        assert (await client.post("/orders?token=planted-query", json=order, headers=headers)).status_code == 201
        await client.post(
            "/orders", content=b'{"planted-broken', headers=headers | {"content-type": "application/json"}
        )
    text = "\n".join(lines.text)
    assert (
        len(lines.parsed()) >= 2 and "planted" not in text and token.split()[1][:20] not in text and '"c-1"' not in text
    )


async def test_a_secrets_value_never_stands_in_a_line(runtime, lines):
    await runtime.services.secrets.set("payment-api-key", 'quoted"planted-value')
    log = logging.getLogger("twofold.test")
    try:
        raise RuntimeError('the provider refused quoted"planted-value')
    except RuntimeError:
        log.exception('with quoted"planted-value')
    [line] = lines.parsed()
    assert (
        "planted-value" not in lines.text[0]
        and REDACTED in line["error.message"]
        and REDACTED in line["error.stack_trace"]
    )


async def test_a_failed_message_is_one_line_with_its_failure(runtime, lines):
    spec = SERVICE.queues[0]
    await runtime.services.queue.send(spec.name, Message("orders.pay", {"nothing": 1}))
    [delivery] = await runtime.services.queue.receive(spec.name)
    assert not await runtime.handle_delivery(spec, delivery)
    [line] = [line for line in lines.parsed() if line.get("event.action") == "message"]
    assert (line["event.outcome"], line["log.level"], line["error.type"]) == ("failure", "warning", "KeyError")


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer planted",
        "{'authorization': 'Basic planted=='}",
        '"Proxy-Authorization": "planted"',
        f"the token was {JWT}",
        "Cookie: session=planted; other=planted",
        "Set-Cookie: session=planted",
        "GET https://host/x?access_token=planted&n=1",
        "https://user:planted@host/path",
        "https://blob/x?sv=1&sig=planted%3D",
        "X-Amz-Security-Token=planted&X-Amz-Signature=planted",
        "client_secret='planted'",
        "password=planted",
        "api_key: planted",
        "/callback?code=planted&state=1",
    ],
)
def test_what_looks_like_a_credential_is_redacted(text):
    clean = redact(text)
    assert "planted" not in clean and "eyJ" not in clean and REDACTED in clean


@pytest.mark.parametrize(
    "text", ["GET /orders/a-1 404", "the store is down: error code: 503", "queue payments: m-1 failed, attempt 2"]
)
def test_what_is_none_stays(text):
    assert redact(text) == text


def test_redaction_takes_linear_time():
    for text in ("a." * 50_000, "token" * 20_000, "://" + "a" * 100_000, "cookie=" + "a=b;" * 25_000):
        assert growth(redact, text) < 32, text[:20]  # 64 were quadratic


def test_what_is_concealed_is_bounded(monkeypatch):
    monkeypatch.setattr(logs, "_concealed", [])
    for number in range(logs.MAX_CONCEALED + 5):
        conceal(f"value-{number}")
    assert len(logs._concealed) == logs.MAX_CONCEALED and redact("value-104") == REDACTED


def test_a_line_is_one_line_whatever_it_quotes(lines):
    lines.setFormatter(EcsFormatter({"service.name": "t", "service.environment": "local"}))
    logging.getLogger("other.library").warning("two\nlines \ud800 %s", "\x00" + "x" * 20_000)
    [line] = lines.parsed()
    assert "\n" not in lines.text[0] and len(lines.text[0]) < 9000 and line["log.logger"] == "other.library"


def test_people_at_a_terminal_get_readable_lines(tmp_path, lines, monkeypatch):
    runtime = Runtime(ServiceManifest("t", app="x:y"), root=tmp_path, environ={})
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    runtime.format_logs()
    assert isinstance(lines.formatter, TerminalFormatter)
    logging.getLogger("t").warning("password=planted, careful")
    assert f"warning password={REDACTED}, careful" in lines.text[0]
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False, raising=False)
    runtime.format_logs()
    assert isinstance(lines.formatter, EcsFormatter)
