"""Azure: the table of contents. Add resources, permissions and transforms of your own here."""

import json
from pathlib import Path

import pulumi
from pulumi_azure_native import authorization, resources

from twofold.deploy import package
from twofold.deploy.azure.access import Access
from twofold.deploy.azure.cache import Cache
from twofold.deploy.azure.compute import Compute
from twofold.deploy.azure.data import Data
from twofold.deploy.azure.edge import Edge
from twofold.deploy.azure.gateway import Gateway
from twofold.deploy.azure.messaging import Messaging
from twofold.deploy.azure.monitoring import Monitoring
from twofold.deploy.azure.secrets import Secrets
from twofold.deploy.azure.traces import Traces
from twofold.deploy.config import StackConfig
from twofold.deploy.living import guard
from twofold.manifest import ServiceManifest


def deploy(manifest: ServiceManifest, config: StackConfig, root: Path) -> dict[str, pulumi.Input[str]]:
    """Data, secrets, messaging, cache, traces, access, compute, gateway, edge, monitoring; returns the stack's outputs."""
    name = config.prefix(manifest)
    tags = {"service": manifest.name, "environment": config.environment, **config.tags}
    login = authorization.get_client_config()
    subscription, tenant = login.subscription_id, login.tenant_id
    artifact = package.build(manifest, "azure", root)
    openapi = json.loads((root / "openapi.json").read_text())

    # A group takes everything in it along when it goes.
    kept = pulumi.ResourceOptions(protect=config.protect, retain_on_delete=config.protect)
    group = resources.ResourceGroup(name, resource_group_name=name, location=config.region, tags=tags, opts=kept).name
    data = Data(
        name, manifest=manifest, group=group, location=config.region, subscription=subscription, protect=config.protect
    )
    secrets = Secrets(
        name, manifest=manifest, group=group, location=config.region, subscription=subscription, tenant=tenant,
        protect=config.protect,
    )  # fmt: skip
    messaging = Messaging(
        name, manifest=manifest, group=group, location=config.region, subscription=subscription, protect=config.protect
    )
    cache = Cache(name, config=config, group=group, subscription=subscription)
    traces = Traces(name, config=config, group=group, subscription=subscription)
    access = Access(name, config=config, group=group, tenant=tenant)
    edge = Edge(name, config=config, group=group, subscription=subscription)
    compute = Compute(
        name, manifest=manifest, config=config, artifact=artifact, data=data, secrets=secrets, messaging=messaging,
        cache=cache, traces=traces, access=access, group=group, subscription=subscription,
    )  # fmt: skip
    gateway = Gateway(
        name, manifest=manifest, config=config, openapi=openapi, app=compute.apps["http"], access=access,
        group=group, subscription=subscription, front_door=edge.id,
    )  # fmt: skip
    url = edge.front(gateway.url)
    monitoring = Monitoring(name, manifest=manifest, messaging=messaging, group=group, location=config.region)
    guard(config, [data, secrets, messaging, cache, access, compute, gateway, edge, monitoring])

    return {
        "url": url,
        "health_url": pulumi.Output.concat(url, "/health/ready"),
        "docs_url": pulumi.Output.concat(url, "/docs"),
        "store_url": data.url or "",
        "queue_url": messaging.url or "",
        "events_url": messaging.events_url or "",
        "secrets_url": secrets.url or "",
        "cache_url": cache.url or "",
        "artifact": artifact.digest,
    }
