"""Saved queries over the service's log lines: the same questions in Logs Insights' language and in Kusto's.

Lines are JSON objects with ECS's names (`twofold/portable/logs.py`). In Logs Insights a name with dots stands in backticks; in a
workspace the line is a text, in a table and column by what hosts the units, and `e` the object.
"""

from dataclasses import dataclass

COLUMNS = {"FunctionAppLogs": "Message", "ContainerAppConsoleLogs": "Log"}
"""The column of a workspace's table that has the line."""
FIELDS = (
    "log.level",
    "event.action",
    "event.outcome",
    "http.response.status_code",
    "url.path",
    "error.type",
    "trace.id",
)


@dataclass(frozen=True, slots=True)
class SavedQuery:
    """One question: its name, what it answers, and how it is asked on each cloud."""

    name: str
    description: str
    insights: str
    kusto: str
    """What follows `lines(table)`."""


def lines(table: str) -> str:
    """The service's lines in Kusto, each as `e`."""
    return f'{table} | where {COLUMNS[table]} startswith "{{" | extend e = parse_json({COLUMNS[table]})'


def field(name: str, kind: str = "string") -> str:
    """A line's field in Kusto, as a string, int, long or double."""
    return f'to{kind}(e["{name}"])'


def _insights(where: str, then: str) -> str:
    return f"fields @timestamp, {', '.join(f'`{field}`' for field in FIELDS)}, message\n| filter {where}\n| {then}"


def _kusto(where: str, then: str) -> str:
    return f"| where {where}\n| {then}"


_SHOWN = (
    "project TimeGenerated, "
    + ", ".join(f'["{field}"]=tostring(e["{field}"])' for field in FIELDS)
    + ', message=tostring(e["message"])'
)
_LATEST = "sort @timestamp desc | limit 200"

QUERIES = (
    SavedQuery(
        "errors",
        "what failed, the latest first",
        _insights("`event.outcome` = 'failure' or `log.level` = 'error'", _LATEST),
        _kusto(
            'tostring(e["event.outcome"]) == "failure" or tostring(e["log.level"]) == "error"',
            f"{_SHOWN} | order by TimeGenerated desc | take 200",
        ),
    ),
    SavedQuery(
        "routes",
        "requests, failures and the 95th percentile of each route, in milliseconds",
        _insights(
            "`event.action` = 'request'",
            "stats count(*) as requests, sum(`http.response.status_code` >= 500) as failed, "
            "pct(`event.duration`, 95) / 1000000 as p95_ms by `http.request.method`, `labels.route`",
        ),
        _kusto(
            'tostring(e["event.action"]) == "request"',
            'summarize requests=count(), failed=countif(toint(e["http.response.status_code"]) >= 500), '
            'p95_ms=percentile(tolong(e["event.duration"]), 95) / 1000000 '
            'by method=tostring(e["http.request.method"]), route=tostring(e["labels.route"])',
        ),
    ),
    SavedQuery(
        "trace",
        "everything under one trace.id, in order: put the id in",
        _insights("`trace.id` = 'put the id here'", "sort @timestamp asc | limit 1000"),
        _kusto('tostring(e["trace.id"]) == "put the id here"', f"{_SHOWN} | order by TimeGenerated asc"),
    ),
    SavedQuery(
        "messages",
        "attempts at messages and their failures, by queue",
        _insights(
            "`event.action` = 'message'", "stats count(*) as attempts by `labels.queue`, `event.outcome`, `error.type`"
        ),
        _kusto(
            'tostring(e["event.action"]) == "message"',
            'summarize attempts=count() by queue=tostring(e["labels.queue"]), '
            'outcome=tostring(e["event.outcome"]), error=tostring(e["error.type"])',
        ),
    ),
    SavedQuery(
        "consumers",
        "commits handled and failed, by consumer",
        _insights("`event.action` = 'commit'", "stats count(*) as commits by `labels.consumer`, `event.outcome`"),
        _kusto(
            'tostring(e["event.action"]) == "commit"',
            'summarize commits=count() by consumer=tostring(e["labels.consumer"]), outcome=tostring(e["event.outcome"])',
        ),
    ),
)
