"""After an update: the service answers through its gateway, with what was just deployed, or `pulumi up` fails and says why.

An edge before the gateway is passed by: what is new of a Front Door takes up to 90 minutes to be everywhere. The gateway lets in
what shows it the edge's id, which the stack knows. Whether the edge answers by now is only told.

`/health/live` is asked with the release's name in `If-Match` (`twofold.settings.release`): an instance of before answers 412.
`/health/ready` must then be 200; degraded is, so a secret that has no value yet fails nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi import dynamic

from twofold.deploy.azure.login import token
from twofold.deploy.dynamic_provider import DynamicProvider
from twofold.deploy.retry import Retry
from twofold.deploy.user_errors import Unhealthy, log_message, warn

if TYPE_CHECKING:
    import httpx

START = Retry(300, pause=5)
"""Old instances go within 30 seconds, a gateway's new API and a first start come in minutes."""
FRONT_DOOR = "X-Azure-FDID"
"""The header by which a gateway behind an edge knows whom to let in."""
ARM = "https://management.azure.com"
LOGS = "https://api.loganalytics.azure.com"
LOGS_SCOPE = "https://api.loganalytics.io/.default"
HOST_API = "2024-11-01"
ERRORS = {
    "FunctionAppLogs": "where Level in ('Error', 'Critical') | extend Line = strcat(Message, ' ', ExceptionMessage)",
    "ContainerAppConsoleLogs": "where ContainerAppName == '{name}' and Log has_any ('Error', 'Exception', 'fail', 'twofold') | "
    "extend Line = Log",
}
"""The table of a unit's log, and its errors there: of an app of Functions, of a container app."""


class _NotYet(Exception):
    """It may answer next time; the message says how it did."""


def verify(
    url: str, release: str, explain: Callable[[], str], retry: Retry = START, *, front_door: str = ""
) -> dict[str, Any]:
    """Asks until the release answers and is ready; returns its readiness. Raises Unhealthy.

    `front_door` is the id of the edge that `url`, a gateway, lets in alone.
    """
    import httpx  # only in the process that deploys

    with httpx.Client(timeout=30, headers={FRONT_DOOR: front_door} if front_door else {}) as client:
        try:
            return retry.call(lambda: _readiness(client, url, release), _NotYet)
        except _NotYet as exc:
            after = f"{retry.seconds:.0f} s after the update"
            raise Unhealthy(f"{url} is not healthy {after}. {exc}. {explain()}") from None


def look(edge: str) -> None:
    """Asks the edge once, and warns when it does not answer yet: nothing can hurry it."""
    import httpx

    try:
        answer = httpx.get(f"{edge}/health/live", timeout=30)
        problem = "" if answer.status_code == 200 else f"answered {answer.status_code}"
    except Exception as exc:  # whatever it is: the service was found healthy, and this only tells
        problem = _first(exc)
    if problem:
        warn(
            f"the service is healthy behind its gateway; {edge} does not answer yet ({problem}). Front Door takes 10 to 90 minutes "
            f"to spread a change, and a domain's first certificate up to an hour: curl -i {edge}/health/live"
        )


def _readiness(client: "httpx.Client", url: str, release: str) -> dict[str, Any]:
    import httpx

    problem = "no answer"
    try:
        for path, headers in (("live", {"If-Match": f'"{release}"'} if release else {}), ("ready", {})):
            answer = client.get(f"{url}/health/{path}", headers=headers)
            problem = f"/health/{path} answered {answer.status_code}: {answer.text[:500]}"
            if answer.status_code != 200:
                raise _NotYet(problem)
        ready: dict[str, Any] = answer.json()
    except (httpx.TransportError, ValueError) as exc:
        raise _NotYet(f"{problem}; {exc}") from None
    return ready


def explain(app: str, source: str, bearer_of: Callable[[str], str], *, arm: str = ARM, logs: str = LOGS) -> str:
    """Why an app does not answer: its host's own error, its last logged one, or where to look. Never raises.

    `app` is its resource id; `source` the one whose log is asked (resource-centric: in whatever workspace it lies).
    """
    import httpx

    reasons = []
    table = "FunctionAppLogs" if "/Microsoft.Web/" in app else "ContainerAppConsoleLogs"
    with httpx.Client(timeout=30) as client:
        if table == "FunctionAppLogs":
            try:
                bearer = {"Authorization": f"Bearer {bearer_of(f'{ARM}/.default')}"}
                # By way of Resource Manager: the app itself is closed to all but the gateway.
                status = client.get(
                    f"{arm}{app}/hostruntime/admin/host/status", params={"api-version": HOST_API}, headers=bearer
                )
                state = status.json()
                if state.get("errors"):
                    reasons.append(f"The host says: {_last(state['errors'][-1])}")
                elif state.get("state"):
                    reasons.append(f"The host is {state['state']}")
            except Exception as exc:  # whatever it is, the health answer must be told
                reasons.append(f"The host's status could not be read ({_first(exc)})")
        errors = ERRORS[table].format(name=app.rpartition("/")[2])
        query = f"{table} | {errors} | top 1 by TimeGenerated desc | project Line"
        try:
            bearer = {"Authorization": f"Bearer {bearer_of(LOGS_SCOPE)}"}
            answer = client.post(
                f"{logs}/v1{source}/query",
                json={"query": query, "timespan": "PT15M"},
                headers=bearer,
            )
            if answer.status_code != 400:  # a table appears with its first line
                answer.raise_for_status()
            rows = answer.json()["tables"][0]["rows"] if answer.status_code == 200 else []
            reasons.append(
                f"The log says: {_last(rows[0][0])}" if rows else "The log has no error yet; it may be minutes late"
            )
        except Exception as exc:
            reasons.append(f"The log could not be read ({_first(exc)})")
    where = f"table {table} in https://portal.azure.com/#@/resource{source}/logs"
    return f"{'. '.join(reasons)}. Look into: {where}"


def _first(exc: Exception) -> str:
    return str(exc).partition("\n")[0] or type(exc).__name__


def _last(text: str) -> str:
    """The last line that says something: of a traceback, the error."""
    return log_message(([line.strip() for line in str(text).splitlines() if line.strip()] or [""])[-1])[:1000]


class _Provider(DynamicProvider):
    update_on = ("url", "release", "app")

    def resource_id(self, props: dict[str, Any]) -> str:
        return f"{props['app']}#health"

    def apply(self, props: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
        release = props["release"] if props["confirmed"] else ""
        edge = props.get("edge") or {}
        ready = verify(
            props["url"], release, lambda: explain(props["app"], props["source"], token), front_door=edge.get("id", "")
        )
        if edge:
            look(edge["url"])
        return {"status": str(ready.get("status", ""))}


class Check(dynamic.Resource):
    """The service at `url` answers as `release` and is ready; asked again when it, the url or the app changed.

    `edge` has the `url` and the `id` of what is before it, a secret that stays one in the state.
    """

    def __init__(
        self, name: str, *, url: pulumi.Input[str], release: pulumi.Input[str], app: pulumi.Input[str],
        source: pulumi.Input[str], confirmed: bool, edge: Mapping[str, pulumi.Input[str]] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:  # fmt: skip
        props = {
            "url": url,
            "release": release,
            "confirmed": confirmed,
            "app": app,
            "source": source,
            "status": None,
        }
        secret = pulumi.ResourceOptions(additional_secret_outputs=["edge"])
        super().__init__(
            _Provider(),
            name,
            props | ({"edge": dict(edge)} if edge else {}),
            pulumi.ResourceOptions.merge(opts, secret),
        )


class Health(pulumi.ComponentResource):
    """The check of what is at `url`, the gateway or the app itself, `after` everything that an answer comes through; `edge` is
    before it. Nothing for an application without the kit's health routes.

    `confirmed`: the service is asked whether it runs `release`. A container's is not: Container Apps lets no old revision answer
    once the new one is up, and fails the update when it does not come up.
    """

    def __init__(
        self, name: str, *, openapi: Mapping[str, Any], url: pulumi.Input[str], release: pulumi.Input[str],
        app: pulumi.Input[str], source: pulumi.Input[str], confirmed: bool, after: Sequence[pulumi.Resource],
        edge: Mapping[str, pulumi.Input[str]] | None = None, opts: pulumi.ResourceOptions | None = None,
    ) -> None:  # fmt: skip
        super().__init__("twofold:azure:Health", name, None, opts)
        if "/health/live" in openapi.get("paths", {}):
            Check(
                f"{name}-health", url=url, release=release, app=app, source=source, confirmed=confirmed, edge=edge,
                opts=pulumi.ResourceOptions(parent=self, depends_on=after),
            )  # fmt: skip
        self.register_outputs({})
