"""The environment that a stack gives each unit: exactly the variables that Settings reads, no more and no less."""

from collections.abc import Mapping

import pulumi

from twofold.deploy.config import StackConfig
from twofold.manifest import ServiceManifest
from twofold.settings import APP_PREFIX, PREFIX, Settings, variable_names


def environment(
    manifest: ServiceManifest,
    config: StackConfig,
    role: str,
    *,
    oidc_issuer: pulumi.Input[str] | None = None,
    oidc_audience: pulumi.Input[str] | None = None,
    store_url: pulumi.Input[str] | None = None,
    queue_url: pulumi.Input[str] | None = None,
    events_url: pulumi.Input[str] | None = None,
    secrets_url: pulumi.Input[str] | None = None,
    cache_url: pulumi.Input[str] | None = None,
    telemetry_url: pulumi.Input[str] | None = None,
    metrics_url: str = "",
    gateway_id: pulumi.Input[str] | None = None,
    edge_digest: pulumi.Input[str] | None = None,
    forwarded_hops: int = 1,
) -> Mapping[str, pulumi.Input[str]]:
    """The variables of one unit; the issuer is the config's unless given.

    A location that the service does not use keeps the default that Settings has.
    """
    values: dict[str, pulumi.Input[str]] = {
        f"{PREFIX}ENVIRONMENT": config.environment,
        f"{PREFIX}ROLE": role,
        f"{PREFIX}STORE_URL": store_url or Settings.model_fields["store_url"].default,
        f"{PREFIX}QUEUE_URL": queue_url or Settings.model_fields["queue_url"].default,
        f"{PREFIX}EVENTS_URL": events_url or Settings.model_fields["events_url"].default,
        f"{PREFIX}SECRETS_URL": secrets_url or Settings.model_fields["secrets_url"].default,
        f"{PREFIX}CACHE_URL": cache_url or Settings.model_fields["cache_url"].default,
        f"{PREFIX}TELEMETRY_URL": telemetry_url or "",
        f"{PREFIX}METRICS_URL": metrics_url,
        f"{PREFIX}TRACE_RATIO": config.trace_ratio,
        **{f"{PREFIX}LIMIT_{kind.upper()}": rate for kind, rate in config.limits.items()},
        f"{PREFIX}OIDC_ISSUER": oidc_issuer or config.oidc_issuer,
        f"{PREFIX}OIDC_AUDIENCE": oidc_audience or config.oidc_audience,
        f"{PREFIX}GATEWAY_ID": gateway_id or "",
        f"{PREFIX}EDGE_DIGEST": edge_digest or "",
        f"{PREFIX}FORWARDED_HOPS": str(forwarded_hops),
        f"{PREFIX}CORS_ORIGINS": config.cors_origins,
        f"{PREFIX}LOG_LEVEL": config.log_level,
    }
    for spec in manifest.settings:
        values[APP_PREFIX + spec.name.upper()] = config.settings.get(spec.name, spec.default)
    assert set(values) == set(variable_names(manifest)), "the contract and Settings differ"
    return values
