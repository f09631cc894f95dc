"""Azure: the table of contents. Add resources, permissions and transforms of your own here."""

import json
from pathlib import Path
from typing import Any

import pulumi
from pulumi_azure_native import resources

from twofold.deploy import package, static
from twofold.deploy.azure import account, tags
from twofold.deploy.azure.access import Access
from twofold.deploy.azure.budget import Budget
from twofold.deploy.azure.cache import Cache
from twofold.deploy.azure.compute import Compute
from twofold.deploy.azure.data import Data
from twofold.deploy.azure.edge import Edge
from twofold.deploy.azure.encryption import customer_key
from twofold.deploy.azure.gateway import Gateway
from twofold.deploy.azure.health import Health
from twofold.deploy.azure.logs import Logs
from twofold.deploy.azure.messaging import Messaging
from twofold.deploy.azure.monitoring import Monitoring
from twofold.deploy.azure.network import Network
from twofold.deploy.azure.notifications import Notifications
from twofold.deploy.azure.secrets import Secrets
from twofold.deploy.azure.tokens import Tokens
from twofold.deploy.azure.traces import Traces
from twofold.deploy.config import StackConfig
from twofold.manifest import ServiceManifest


def deploy(manifest: ServiceManifest, config: StackConfig, root: Path) -> dict[str, Any]:
    """The table of contents: what another part needs stands before it. Returns the stack's outputs."""
    name = config.prefix(manifest)
    tags.every({"service": manifest.name, "environment": config.environment, **config.tags})
    login = account.login(config)
    subscription, tenant = login.subscription, login.tenant
    artifact = package.artifact(manifest, config, root)
    openapi = json.loads((root / "openapi.json").read_text())
    content = static.content(root, config.static)

    # A group takes everything in it along when it goes.
    protected = pulumi.ResourceOptions(protect=config.protect, retain_on_delete=config.protect)
    group = resources.ResourceGroup(name, resource_group_name=name, location=config.region, opts=protected).name
    Tokens(name)
    key = customer_key(config)
    network = Network(name, config=config, group=group)
    data = Data(
        name, manifest=manifest, group=group, location=config.region, subscription=subscription, protect=config.protect,
        network=network, key=key,
    )  # fmt: skip
    secrets = Secrets(
        name, manifest=manifest, group=group, location=config.region, subscription=subscription, tenant=tenant,
        protect=config.protect, network=network,
    )  # fmt: skip
    messaging = Messaging(
        name, manifest=manifest, group=group, location=config.region, subscription=subscription, protect=config.protect,
        network=network, key=key,
    )  # fmt: skip
    cache = Cache(name, config=config, group=group, subscription=subscription, network=network)
    logs = Logs(name, config=config, group=group)
    traces = Traces(name, config=config, logs=logs, group=group, subscription=subscription)
    access = Access(name, config=config, group=group, tenant=tenant)
    edge = Edge(name, config=config, group=group, subscription=subscription, login=login, content=content)
    compute = Compute(
        name, manifest=manifest, config=config, artifact=artifact, data=data, secrets=secrets, messaging=messaging,
        cache=cache, traces=traces, access=access, group=group, subscription=subscription, network=network, login=login,
    )  # fmt: skip
    gateway = Gateway(
        name, manifest=manifest, config=config, openapi=openapi, host=compute.host, access=access,
        group=group, subscription=subscription, front_door=edge.id,
    )  # fmt: skip
    url = edge.front(gateway.url)
    notifications = Notifications(name, config=config, group=group)
    monitoring = Monitoring(
        name, manifest=manifest, config=config, messaging=messaging, sources=compute.logs, logs=logs,
        notifications=notifications, group=group,
    )  # fmt: skip
    Budget(name, config=config, group=group, subscription=subscription)
    Health(
        name, openapi=openapi, url=gateway.url, release=compute.release, app=compute.apps["http"].id,
        source=compute.log_source, confirmed=not config.image, after=[compute, gateway, edge, monitoring],
        edge={"url": url, "id": edge.id} if edge.id else None,
    )  # fmt: skip

    return {
        "url": url,
        "health_url": pulumi.Output.concat(url, "/health/ready"),
        "docs_url": pulumi.Output.concat(url, "/docs"),
        "oidc_issuer": config.oidc_issuer,
        "oidc_audience": config.oidc_audience,
        "store_url": data.url or "",
        "queue_url": messaging.url or "",
        "events_url": messaging.events_url or "",
        "secrets_url": secrets.url or "",
        "cache_url": cache.url or "",
        "artifact": artifact.digest,
        "units": compute.units,
        "releases_url": compute.releases_url,
        "dashboard_url": monitoring.dashboard_url,
    }
