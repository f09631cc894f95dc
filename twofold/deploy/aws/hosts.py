"""How a stack's functions are, for a report: what Lambda says of each, and the last lines of its log. Only reads."""

import time
from collections import deque
from collections.abc import Mapping
from typing import Any

from twofold.deploy.aws import login
from twofold.deploy.config import StackConfig

TYPE = "aws:lambda/function:Function"
SAID = (
    "State",
    "StateReason",
    "StateReasonCode",
    "LastUpdateStatus",
    "LastUpdateStatusReason",
    "LastModified",
    "Version",
)
LINES = 30
HOUR_MS = 3_600_000


def hosts(config: StackConfig, units: Mapping[str, str]) -> dict[str, Any]:
    """Of each function, by name: its state, and its log of the last hour. What AWS refuses to tell is its answer."""
    from botocore.exceptions import BotoCoreError, ClientError

    states: dict[str, Any] = {}
    try:
        session = login.session(config.region, config.assume_role, config.external_id)
        functions, logs = session.client("lambda"), session.client("logs")
    except (BotoCoreError, ClientError) as exc:
        return {name: str(exc) for name in units}
    for name in units:
        try:
            configuration = functions.get_function_configuration(FunctionName=name)
            since = int(time.time() * 1000) - HOUR_MS
            # Oldest first, by pages, of which some are empty.
            pages = logs.get_paginator("filter_log_events").paginate(
                logGroupName=f"/aws/lambda/{name}", startTime=since
            )
            last = deque((event["message"].rstrip() for page in pages for event in page["events"]), maxlen=LINES)
            states[name] = {
                "host": {key: configuration[key] for key in SAID if key in configuration},
                "log": list(last),
            }
        except (BotoCoreError, ClientError) as exc:
            states[name] = str(exc)
    return states
