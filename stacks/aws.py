"""AWS: the table of contents. Add resources, permissions and transforms of your own here."""

import json
from pathlib import Path
from typing import Any

import pulumi
from pulumi_aws import Provider, ProviderDefaultTagsArgs

from twofold.deploy import package
from twofold.deploy.aws.cache import Cache
from twofold.deploy.aws.compute import Compute
from twofold.deploy.aws.data import Data
from twofold.deploy.aws.edge import Edge
from twofold.deploy.aws.gateway import Gateway
from twofold.deploy.aws.messaging import Messaging
from twofold.deploy.aws.monitoring import Monitoring
from twofold.deploy.aws.secrets import Secrets
from twofold.deploy.config import StackConfig
from twofold.deploy.living import guard
from twofold.manifest import ServiceManifest


def deploy(manifest: ServiceManifest, config: StackConfig, root: Path) -> dict[str, pulumi.Input[Any]]:
    """Data, secrets, messaging, cache, compute, gateway, edge, monitoring; returns the stack's outputs."""
    name = config.prefix(manifest)
    tags = {"service": manifest.name, "environment": config.environment, **config.tags}
    provider = Provider("aws", region=config.region, default_tags=ProviderDefaultTagsArgs(tags=tags))
    opts = pulumi.ResourceOptions(providers=[provider])
    artifact = package.build(manifest, "aws", root)
    openapi = json.loads((root / "openapi.json").read_text())

    data = Data(name, manifest=manifest, region=config.region, protect=config.protect, opts=opts)
    secrets = Secrets(name, manifest=manifest, region=config.region, protect=config.protect, opts=opts)
    messaging = Messaging(name, manifest=manifest, region=config.region, protect=config.protect, opts=opts)
    cache = Cache(name, manifest=manifest, config=config, opts=opts)
    edge = Edge(name, config=config, opts=opts)
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
        opts=opts,
    )
    gateway = Gateway(name, manifest=manifest, config=config, openapi=openapi, live=compute.live["http"], opts=opts)
    url = edge.front(gateway.url)
    monitoring = Monitoring(name, messaging=messaging, opts=opts)
    guard(config, [data, secrets, messaging, cache, compute, gateway, edge, monitoring])

    return {
        "url": url,
        "health_url": pulumi.Output.concat(url, "/health/ready"),
        "docs_url": pulumi.Output.concat(url, "/docs"),
        "store_url": data.url or "",
        "queue_url": messaging.url or "",
        "events_url": messaging.events_url or "",
        "secrets_url": secrets.url or "",
        "cache_url": cache.url("http") or "",
        "artifact": artifact.digest,
        "units": compute.units,
        "releases_url": compute.releases_url,
    }
