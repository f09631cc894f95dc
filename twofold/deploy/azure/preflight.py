"""What an Azure subscription must have before the first `pulumi up`: asked of Resource Manager with the deployer's login."""

import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from twofold.deploy.azure import login
from twofold.deploy.azure.deployer import namespaces
from twofold.deploy.checks import Check
from twofold.deploy.config import RESOURCE_MANAGER, ConfigError, StackConfig
from twofold.deploy.program import PlannedResource

API_VERSION = "2021-04-01"


def check(
    config: StackConfig,
    planned: Callable[[], Iterable[PlannedResource]],
    *,
    endpoint: str = RESOURCE_MANAGER,
    token: str | None = None,
) -> list[Check]:
    """The login, the tenant, and each resource provider's registration; only reads. ConfigError when no subscription is named."""
    import httpx  # only in the command that asks

    subscription = config.subscription or os.environ.get("ARM_SUBSCRIPTION_ID", "")
    if not subscription:
        raise ConfigError("name the subscription: pulumi config set twofold:subscription …, or ARM_SUBSCRIPTION_ID")
    token = token or login.token()
    base = f"{endpoint.rstrip('/')}/subscriptions/{subscription}"
    with httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=60) as client:
        answer = client.get(base, params={"api-version": API_VERSION})
        if answer.status_code != 200:
            problem = f"Resource Manager answered {answer.status_code}: {_message(answer)}"
            return [
                Check(
                    f"subscription {subscription}", False, problem, f"az login, then az account set -s {subscription}"
                )
            ]
        about = answer.json()
        checks = [Check(f"subscription {subscription}", about.get("state") == "Enabled", str(about.get("state")))]
        if config.tenant:
            tenant = str(about.get("tenantId"))
            fine = tenant.lower() == config.tenant.lower()
            mend = "" if fine else f"az login --tenant {config.tenant}"
            checks.append(Check("tenant", fine, tenant, mend))
        states = {
            one["namespace"].lower(): one["registrationState"]
            for one in _pages(client, f"{base}/providers", subscription)
        }
    for namespace in sorted(namespaces(planned())):
        state = states.get(namespace.lower(), "unknown")
        register = f"az provider register --wait --subscription {subscription} --namespace {namespace}"
        checks.append(Check(namespace, state == "Registered", state, "" if state == "Registered" else register))
    return checks


def _pages(client: Any, url: str, subscription: str) -> Iterator[dict[str, Any]]:
    params: dict[str, str] | None = {"api-version": API_VERSION}
    while url:
        answer = client.get(url, params=params)
        if answer.status_code != 200:
            raise ConfigError(
                f"Resource Manager does not list the providers of {subscription} ({answer.status_code}): {_message(answer)}"
            )
        page = answer.json()
        yield from page["value"]
        url, params = page.get("nextLink") or "", None  # the link has its own


def _message(answer: Any) -> str:
    try:
        return str(answer.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return str(answer.text[:200])
