"""An app's triggers as the platform knows them: what wakes an app that has scaled to zero.

One Deploy ends with a call of the app's own `/admin/host/synctriggers`, through its front door. An app behind App Service
authentication answers 401, and the deployment is successful all the same (azure-functions-core-tools#4196; the call is in
KuduLite's `PostDeploymentHelper.cs`). The host tells its triggers by itself half a minute after it started
(`FunctionsSyncService.cs`), but nothing starts it without them. So Resource Manager is asked, as the portal's Refresh and, for
other plans, Core Tools ask it. Once is not enough while a first instance starts: azure-functions-host#10169 has `WarmUp`, the
platform's placeholder, listed until a later call.
"""

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from twofold.deploy.config import RESOURCE_MANAGER
from twofold.deploy.retry import Retry
from twofold.deploy.user_errors import UserError

if TYPE_CHECKING:
    import httpx

API = "2024-11-01"
RETRY = Retry(600, pause=10)
"""A first instance starts with the new package, and the host of an app that is closed is reached late."""
PLACEHOLDER = "warmup"
"""What the platform lists while no host has told it anything."""
ACTIONS = ("Microsoft.Web/sites/host/sync/action", "Microsoft.Web/sites/functions/read")


class SyncFailed(UserError):
    """Resource Manager refused to learn the app's triggers; the message has its answer."""


class _NotYet(Exception):
    """`refused` is the answer to the sync, empty of a good one; `listed` the functions, None when they can't be read."""

    def __init__(self, refused: str, listed: set[str] | None) -> None:
        super().__init__(refused)
        self.refused, self.listed = refused, listed


def sync(
    site: str, functions: Collection[str], token: Callable[[], str], *,
    retry: Retry = RETRY, arm: str = RESOURCE_MANAGER,
) -> str:  # fmt: skip
    """Makes the platform learn the triggers of the app with this resource id, until it lists these `functions` and no others.

    Without `functions`, any will do. Returns a warning, empty when all is well: a list that can't be read, or still another one,
    fails nothing. Raises SyncFailed when this login may not ask, or the answer was an error to the end and the list is another.
    `token` is asked for each request: the tries may outlast a token.
    """
    import httpx  # only in the process that deploys

    wanted = {name.lower() for name in functions}
    with httpx.Client(base_url=arm, auth=bearer(token), timeout=120) as client:
        try:
            retry.call(lambda: _attempt(client, site, wanted), _NotYet)
        except _NotYet as last:
            return _warning(site, wanted, last, retry)
    return ""


def bearer(token: Callable[[], str]) -> "Callable[[httpx.Request], httpx.Request]":
    """httpx's `auth`: each request with the token of its time."""

    def signed(request: "httpx.Request") -> "httpx.Request":
        request.headers["Authorization"] = f"Bearer {token()}"
        return request

    return signed


def _attempt(client: "httpx.Client", site: str, wanted: set[str]) -> None:
    refused = _sync(client, site)
    listed = _listed(client, site)
    if refused or listed is None or not _fits(listed, wanted):
        raise _NotYet(refused, listed)


def _sync(client: "httpx.Client", site: str) -> str:
    """What Resource Manager said when it did not do it."""
    import httpx

    try:
        answer = client.post(f"{site}/host/default/sync", params={"api-version": API})
    except httpx.TransportError as exc:
        return f"no answer ({type(exc).__name__})"
    problem = f"{answer.status_code} {answer.text[:500]}"
    if answer.status_code == 403:  # 401 is of the token, and the next one may do
        raise SyncFailed(
            f"{_name(site)}: this login may not sync triggers, it needs {' and '.join(ACTIONS)}: {problem}"
        )
    return "" if answer.is_success else problem


def _listed(client: "httpx.Client", site: str) -> set[str] | None:
    """The names of the app's functions, as in `<app>/<name>`; None when they can't be read."""
    import httpx

    names: set[str] = set()
    url = f"{site}/functions?api-version={API}"
    try:
        while url:
            answer = client.get(url)
            answer.raise_for_status()
            page = answer.json()
            names |= {str(one["name"]).rpartition("/")[2].lower() for one in page["value"]}
            url = page.get("nextLink") or ""
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return None
    return names - {PLACEHOLDER}


def _fits(listed: set[str], wanted: set[str]) -> bool:
    return listed == wanted if wanted else bool(listed)


def _warning(site: str, wanted: set[str], last: _NotYet, retry: Retry) -> str:
    after = f"{_name(site)}: after {retry.seconds:.0f} s"
    fits = last.listed is not None and _fits(last.listed, wanted)
    if last.refused and not fits:
        raise SyncFailed(f"{after} its triggers are still not synced: {last.refused}. {_look(site)}")
    if fits:
        return f"{after} the platform lists its functions, but refuses to sync them: {last.refused}. {_look(site)}"
    if last.listed is None:
        return (
            f"{after} the platform's list of its functions can't be read, so nobody knows what wakes it. {_look(site)}"
        )
    return (
        f"{after} the platform lists {_named(last.listed)} of it, not {_named(wanted)}: what it does not list wakes nothing. "
        f"{_look(site)}"
    )


def _named(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "no function"


def _name(site: str) -> str:
    return site.rpartition("/")[2]


def _look(site: str) -> str:
    """Where the reason is, and how to go on."""
    return (
        "Its host may not start: see the table FunctionAppLogs, and the app's page Diagnose and solve problems. Then run "
        f"az rest --method post --url {RESOURCE_MANAGER.rstrip('/')}{site}/host/default/sync?api-version={API}"
    )
