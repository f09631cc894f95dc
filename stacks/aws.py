"""AWS: the table of contents. Add resources, permissions and transforms of your own here."""

import json
from pathlib import Path
from typing import Any

import pulumi

from twofold.deploy import package, static
from twofold.deploy.aws import account
from twofold.deploy.aws.budget import Budget
from twofold.deploy.aws.cache import Cache
from twofold.deploy.aws.compute import Compute
from twofold.deploy.aws.data import Data
from twofold.deploy.aws.domain import Domain
from twofold.deploy.aws.edge import Edge
from twofold.deploy.aws.gateway import Gateway
from twofold.deploy.aws.issuer import Issuer
from twofold.deploy.aws.messaging import Messaging
from twofold.deploy.aws.monitoring import Monitoring
from twofold.deploy.aws.network import Network
from twofold.deploy.aws.notifications import Notifications
from twofold.deploy.aws.secrets import Secrets
from twofold.deploy.config import StackConfig
from twofold.manifest import ServiceManifest


def deploy(manifest: ServiceManifest, config: StackConfig, root: Path) -> dict[str, pulumi.Input[Any]]:
    """The table of contents: what another part needs stands before it. Returns the stack's outputs."""
    name = config.prefix(manifest)
    tags = {"service": manifest.name, "environment": config.environment, **config.tags}
    provider = account.provider(config, tags)
    opts = pulumi.ResourceOptions(providers=[provider])
    artifact = package.artifact(manifest, config, root)
    openapi = json.loads((root / "openapi.json").read_text())
    content = static.content(root, config.static)
    key = config.encryption_key or None

    data = Data(name, manifest=manifest, region=config.region, protect=config.protect, key=key, opts=opts)
    secrets = Secrets(name, manifest=manifest, region=config.region, protect=config.protect, key=key, opts=opts)
    messaging = Messaging(name, manifest=manifest, region=config.region, protect=config.protect, key=key, opts=opts)
    network = Network(name, manifest=manifest, config=config, opts=opts)
    cache = Cache(name, manifest=manifest, config=config, network=network, opts=opts)
    domain = Domain(name, config=config, opts=opts)
    issuer = Issuer(name, manifest=manifest, config=config, opts=opts)
    edge = Edge(name, config=config, domain=domain, content=content, opts=opts)
    compute = Compute(
        name,
        manifest=manifest,
        config=config,
        artifact=artifact,
        data=data,
        secrets=secrets,
        messaging=messaging,
        cache=cache,
        edge=edge,
        issuer=issuer,
        network=network,
        opts=opts,
    )
    gateway = Gateway(
        name, manifest=manifest, config=config, openapi=openapi, live=compute.live["http"], issuer=issuer, domain=domain,
        opts=opts,
    )  # fmt: skip
    url = edge.front(gateway.url)
    notifications = Notifications(name, config=config, opts=opts)
    monitoring = Monitoring(
        name,
        manifest=manifest,
        config=config,
        data=data,
        messaging=messaging,
        functions=compute.functions,
        logs=compute.logs,
        api=gateway.api,
        notifications=notifications,
        opts=opts,
    )
    Budget(name, config=config, tags=tags, opts=opts)

    return {
        "url": url,
        "health_url": pulumi.Output.concat(url, "/health/ready"),
        "docs_url": pulumi.Output.concat(url, "/docs"),
        "oidc_issuer": issuer.url,
        "oidc_audience": issuer.audience,
        "store_url": data.url or "",
        "queue_url": messaging.url or "",
        "events_url": messaging.events_url or "",
        "secrets_url": secrets.url or "",
        "cache_url": cache.url("http") or "",
        "artifact": artifact.digest,
        "units": compute.units,
        "releases_url": compute.releases_url,
        "dashboard_url": monitoring.dashboard_url,
    }
