"""What Azure takes a while to know: an identity that was just made, and a role that was just given.

Cosmos DB and Managed Redis look an identity up in the directory when it is let in, and answer that there is none until it has
spread (pulumi-azure-native#2816); a container app that may not pull its image yet fails its first revision, after a quarter of
an hour (azure-dev#7529, azure-container-apps#646). So dynamic resources wait in between, each once.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi import dynamic

from twofold.deploy.azure.login import GRAPH, token
from twofold.deploy.dynamic_provider import DynamicProvider
from twofold.deploy.retry import Retry
from twofold.deploy.user_errors import warn

if TYPE_CHECKING:
    import httpx

DIRECTORY = Retry(300, pause=5)
UNSEEN_SECONDS = 60
"""How long an identity is waited for by a login that may not look into the directory."""
EFFECTIVE_SECONDS = 300
"""How old a role is taken to be before it works: reports have one to five minutes, Azure's documents ten at the most."""


class _NotYet(Exception):
    pass


def known(principal: str, bearer_of: Callable[[str], str], retry: Retry = DIRECTORY, *, graph: str = GRAPH) -> str:
    """Asks Microsoft Graph until the directory has the service principal; empty, or why that can't be told."""
    import httpx  # only in the process that deploys

    try:
        headers = {"Authorization": f"Bearer {bearer_of(f'{GRAPH}/.default')}"}
        with httpx.Client(headers=headers, timeout=30) as client:
            retry.call(lambda: _ask(client, f"{graph}/v1.0/servicePrincipals/{principal}"), _NotYet)
    except Exception as exc:  # whatever it is: only the service that lets the identity in can refuse it
        return str(exc).partition("\n")[0] or type(exc).__name__
    return ""


def _ask(client: "httpx.Client", url: str) -> None:
    answer = client.get(url, params={"$select": "id"})
    if answer.status_code in (404, 429) or answer.status_code >= 500:
        raise _NotYet(f"the directory answered {answer.status_code}")
    if answer.status_code != 200:
        raise PermissionError(f"the directory answered {answer.status_code} to this login")


class _KnownProvider(DynamicProvider):
    update_on = ("principal",)

    def resource_id(self, props: dict[str, Any]) -> str:
        return f"{props['principal']}#known"

    def apply(self, props: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
        if why := known(props["principal"], token):
            warn(
                f"could not see whether the directory knows {props['principal']} ({why}); waiting {UNSEEN_SECONDS} s. If Cosmos DB "
                "or Redis does not find it, run pulumi up again"
            )
            time.sleep(UNSEEN_SECONDS)
        return {}


class Known(dynamic.Resource):
    """The directory knows an identity. Where the login may not look, it is waited for, and a warning says so."""

    def __init__(self, name: str, *, principal: pulumi.Input[str], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(_KnownProvider(), name, {"principal": principal}, opts)


def left(since: str | None, now: datetime) -> float:
    """The seconds until a role that was given `since` is taken to work; nothing is known of when: all of them."""
    try:
        age = (now - datetime.fromisoformat(since or "").astimezone(UTC)).total_seconds()
    except ValueError:
        age = 0
    return min(EFFECTIVE_SECONDS, max(0, EFFECTIVE_SECONDS - age))


class _EffectiveProvider(DynamicProvider):
    update_on = ("assignment",)

    def resource_id(self, props: dict[str, Any]) -> str:
        return f"{props['assignment']}#effective"

    def apply(self, props: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
        time.sleep(left(props.get("since"), datetime.now(UTC)))
        return {}


class Effective(dynamic.Resource):
    """A role works. Nobody but its identity could try it out, so it is given its time, counted from when it was assigned."""

    def __init__(
        self, name: str, *, assignment: pulumi.Input[str], since: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:  # fmt: skip
        super().__init__(_EffectiveProvider(), name, {"assignment": assignment, "since": since}, opts)
