"""A published version is asked how it is, before `live` points at it: it is invoked itself, with the deployer's login.

Each unit answers `{"twofold": {"health": "ready"}}` with what `/health/ready` would say; the http unit gets a request as well,
as its gateway would send it. Healthy is `ready` or `degraded`, and an answer below 500: so a secret that has no value yet stops
nothing, and neither does an application with other health routes. A store that is down does.
"""

import base64
import json
import re
from collections.abc import Sequence
from typing import Any

import pulumi
from pulumi import dynamic

from twofold.deploy.aws.login import client
from twofold.deploy.dynamic_provider import DynamicProvider
from twofold.deploy.retry import Retry
from twofold.deploy.user_errors import Unhealthy, log_message

START = Retry(60, pause=3)
"""A new role's permissions and a network's routes need some time to be known."""
SHOWN = 600
"""Characters of an answer, and of a log, that are told."""
READY = {"twofold": {"health": "ready"}}
REQUEST = {
    "version": "2.0",
    "routeKey": "GET /health/ready",
    "rawPath": "/health/ready",
    "rawQueryString": "",
    "headers": {"host": "health.invalid", "x-forwarded-for": "127.0.0.1", "x-forwarded-proto": "https"},
    "requestContext": {
        "accountId": "", "apiId": "health", "domainName": "health.invalid", "domainPrefix": "health", "stage": "$default",
        "http": {
            "method": "GET", "path": "/health/ready", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "twofold",
        },
        "requestId": "health", "routeKey": "GET /health/ready", "time": "01/Jan/1970:00:00:00 +0000", "timeEpoch": 0,
    },
    "isBase64Encoded": False,
}  # fmt: skip
"""What an HTTP API (payload format 2.0) sends for GET /health/ready."""
_PLATFORM = re.compile(r"(START|END|REPORT|INIT_START|INIT_REPORT|RESTORE_START|RESTORE_REPORT|EXTENSION|XRAY)\b")
_TELLING = re.compile(
    r'\[(ERROR|WARNING|CRITICAL)\]|"log\.level": ?"(error|warning|critical)"|^twofold: | is down: ', re.I
)


class HealthCheck(dynamic.Resource):
    """A version is healthy, or the update fails and says why; asked once for each version, until it is."""

    def __init__(
        self, name: str, *, function: pulumi.Input[str], version: pulumi.Input[str], http: bool, region: str,
        assume_role: str, external_id: str, opts: pulumi.ResourceOptions | None = None,
    ) -> None:  # fmt: skip
        props = {
            "function": function, "version": version, "http": http, "region": region, "assume_role": assume_role,
            "external_id": external_id,
        }  # fmt: skip
        super().__init__(_Provider(), name, props, opts)


class _Provider(DynamicProvider):
    update_on = ("function", "version")

    def resource_id(self, props: dict[str, Any]) -> str:
        return f"{props['function']}-health"

    def apply(self, props: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
        lambda_ = client("lambda", props["region"], props["assume_role"], props["external_id"])
        events = [READY, REQUEST] if props["http"] else [READY]
        ask(lambda_, props["function"], props["version"], events, START)
        return {}


def ask(lambda_: Any, function: str, version: str, events: Sequence[object], retry: Retry) -> None:
    """Returns when a version answers each event well. Raises Unhealthy.

    `lambda_` is boto3's client. Waits first until the version is active: with SnapStart, until its snapshot is taken.
    """
    from botocore.exceptions import BotoCoreError, ClientError, WaiterError

    def unhealthy(why: str) -> Unhealthy:
        return Unhealthy(f"{function} version {version} {why}. So no unit's `live` has moved")

    try:
        lambda_.get_waiter("published_version_active").wait(
            FunctionName=function, Qualifier=version, WaiterConfig={"Delay": 2, "MaxAttempts": 300}
        )
    except WaiterError as exc:
        raise unhealthy(f"did not become active: {exc.last_response.get('StateReason') or exc}") from None

    def attempt() -> None:
        try:
            problem = next(filter(None, (_problem(lambda_, function, version, event) for event in events)), "")
        except (BotoCoreError, ClientError) as exc:
            problem = f"could not be invoked: {exc}"
        if problem:
            raise unhealthy(problem)

    retry.call(attempt, Unhealthy)


def _problem(lambda_: Any, function: str, version: str, event: object) -> str:
    answer = lambda_.invoke(FunctionName=function, Qualifier=version, LogType="Tail", Payload=json.dumps(event))
    text = answer["Payload"].read().decode()
    if "FunctionError" not in answer and _healthy(json.loads(text)):
        return ""
    log = base64.b64decode(answer.get("LogResult", "")).decode(errors="replace")
    return f"answered its health check with {text[:SHOWN]}; its log says: {reason(log)}"


def _healthy(answer: Any) -> bool:
    if not isinstance(answer, dict):
        return False
    if "statusCode" in answer:
        return bool(answer["statusCode"] < 500)
    return answer.get("status") in ("ready", "degraded")


def reason(log: str) -> str:
    """What tells why, of the end of a log: from the first line of an error or a warning on, else the last line."""
    lines = [line.strip() for line in log.splitlines() if line.strip() and not _PLATFORM.match(line)]
    first = next((index for index, line in enumerate(lines) if _TELLING.search(line)), len(lines) - 1)
    return " | ".join(map(log_message, lines[max(first, 0) :]))[:SHOWN] or "nothing"
