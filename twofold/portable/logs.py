"""Logs: one JSON object a line, with the field names of the Elastic Common Schema, or a readable line on a terminal.

`event(log, "request", …)` writes what happened: a request, a message, a commit, a schedule's run, one line each, with the ids of
the trace. Nothing of bodies and headers is logged; texts are redacted all the same, since an exception may quote what it met.
Dotted names stay flat: CloudWatch Logs Insights, Azure Monitor's `parse_json` and Elasticsearch all take them.
"""

import hashlib
import json
import logging
import re
import time
import traceback
from collections.abc import Mapping
from typing import Any, Literal

from twofold.portable.telemetry import current

ECS_VERSION = "8.17.0"
MAX_TEXT = 8192
"""Characters of a text; a stack trace is cut in its middle, so that a line stays below every service's limit."""
REDACTED = "[redacted]"
OURS = ("@", "log.", "ecs.", "service.", "trace.", "span.", "event.", "user.")
"""Fields whose values the kit makes: nobody's text, so nothing to redact."""
MAX_CONCEALED = 100
_NAMES = (
    r"[\w.-]{0,40}(?:token|secret|password|passwd|signature|credential|api[-_]?key|connection_?string)|sig|pwd|"
    r"(?:proxy-|x-twofold-)?authorization|(?:set-)?cookie|x-amz-[\w-]{1,40}|(?<=[?&])(?:code|key)"
)
_SECRETS = re.compile(
    r"(?P<scheme>\b(?:bearer|basic|dpop)\s+)[\w.~+/=-]+"
    r"|\beyJ[\w-]{5,}\.[\w-]+\.[\w-]*"  # a JWT
    r"|(?P<user>://)[^/\s@]{1,300}@"
    rf"""|(?P<name>(?<![\w-])["']?(?:{_NAMES})["']?\s?[=:]\s?["']?)(?:(?:bearer|basic|dpop)\s+)?[^\s"'&,;}})]+"""
    r"""(?:;\s?[\w-]+=[^\s;"']+)*""",  # further cookies
    re.IGNORECASE,
)
_concealed: list[str] = []

type Outcome = Literal["success", "failure", "unknown"]


def conceal(value: str) -> None:
    """Keeps a secret's value out of every line from now on; values of less than six characters are too common for that."""
    if len(value) >= 6 and value not in _concealed:
        _concealed.append(value)
        del _concealed[:-MAX_CONCEALED]


def redact(text: str) -> str:
    """The text without what looks like a credential, and without every secret's value that this process has read."""
    for value in sorted(_concealed, key=len, reverse=True):  # one may begin with another
        if value in text:
            text = text.replace(value, REDACTED)
    return _SECRETS.sub(_kept, text)


def pseudonym(subject: str, *, service: str) -> str:
    """What stands for a subject in lines: always the same in a service, and not to be read back without guessing it."""
    return hashlib.sha256(f"{service}:{subject}".encode()).hexdigest()[:16]


def event(
    log: logging.Logger, action: str, message: str, *, started: float, outcome: Outcome,
    level: int = logging.INFO, error: BaseException | None = None, **fields: str | int | float | None,
) -> None:  # fmt: skip
    """Logs what ended now. `started` is from `time.perf_counter()`; in a field's name `__` stands for a dot."""
    if not log.isEnabledFor(level):
        return
    ecs: dict[str, Any] = {
        "event.action": action,
        "event.outcome": outcome,
        "event.duration": int((time.perf_counter() - started) * 1e9),
    }
    ecs |= {name.replace("__", "."): value for name, value in fields.items() if value is not None}
    if error is not None:
        ecs |= {"error.type": type(error).__qualname__, "error.message": str(error) or type(error).__qualname__}
        if error.__traceback__ is not None:
            ecs["error.stack_trace"] = "".join(traceback.format_exception(error)).rstrip()
    log.log(level, message, extra={"ecs": ecs})


class EcsFormatter(logging.Formatter):
    """Each record as one line of JSON. `service` are the fields that every line has."""

    def __init__(self, service: Mapping[str, str]) -> None:
        super().__init__()
        self._service = dict(service)

    def format(self, record: logging.LogRecord) -> str:
        """See logging.Formatter."""
        line: dict[str, Any] = {
            "@timestamp": timestamp(record.created),
            "log.level": record.levelname.lower(),
            "message": record.getMessage(),
            "ecs.version": ECS_VERSION,
            "log.logger": record.name,
            **self._service,
        }
        if (span := current()) is not None:
            line |= {"trace.id": span.trace_id, "span.id": span.id}
        line |= getattr(record, "ecs", {})
        if record.exc_info and record.exc_info[1] is not None:
            line |= {
                "error.type": type(record.exc_info[1]).__qualname__,
                "error.message": str(record.exc_info[1]) or type(record.exc_info[1]).__qualname__,
                "error.stack_trace": self.formatException(record.exc_info),
            }
        return (
            json.dumps(
                {
                    name: _cut(redact(value)) if isinstance(value, str) and not name.startswith(OURS) else value
                    for name, value in line.items()
                },
                ensure_ascii=False,
            )
            .encode(errors="replace")
            .decode()
        )


class TerminalFormatter(logging.Formatter):
    """For people: `12:03:01.123 info    POST /orders 201  3.2 ms  trace 4bf92f35…`."""

    def format(self, record: logging.LogRecord) -> str:
        """See logging.Formatter."""
        ecs: Mapping[str, Any] = getattr(record, "ecs", {})
        parts = [f"{timestamp(record.created)[11:23]} {record.levelname.lower():7} {record.getMessage()}"]
        if "event.duration" in ecs:
            parts.append(f"{ecs['event.duration'] / 1e6:.1f} ms")
        if "error.type" in ecs:
            message = "" if ecs["error.message"] == ecs["error.type"] else f": {ecs['error.message']}"
            parts.append(ecs["error.type"] + message)
        if "event.reason" in ecs:
            parts.append(ecs["event.reason"])
        if (span := current()) is not None:
            parts.append(f"trace {span.trace_id[:8]}…")
        if record.exc_info:
            parts.append("\n" + self.formatException(record.exc_info))
        elif "error.stack_trace" in ecs:
            parts.append("\n" + ecs["error.stack_trace"])
        return redact("  ".join(parts))


def formatter(service: str, environment: str, unit: str, *, terminal: bool) -> logging.Formatter:
    """How this process writes its lines."""
    if terminal:
        return TerminalFormatter()
    return EcsFormatter({"service.name": service, "service.environment": environment, "labels.unit": unit})


def timestamp(seconds: float) -> str:
    """ISO 8601 with milliseconds, UTC."""
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{whole}.{int(seconds * 1000) % 1000:03d}Z"


def _kept(match: re.Match[str]) -> str:
    return f"{match['scheme'] or match['user'] or match['name'] or ''}{REDACTED}{'@' if match['user'] else ''}"


def _cut(text: str) -> str:
    if len(text) <= MAX_TEXT:
        return text
    return f"{text[: MAX_TEXT // 2]} … {text[-MAX_TEXT // 2 :]}"
