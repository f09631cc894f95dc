"""Settings: the contract between the stacks and the app. `TWOFOLD_<FIELD>` in the environment, all problems at once.

URLs only identify; no credential ever stands in one. The scheme picks the driver:

    store_url    sqlite:///.data/twofold.db · dynamodb://<region>/<table prefix> · cosmos://<account host>/<database>
    queue_url    sqlite:///.data/twofold.db · sqs://<region>/<prefix> · storagequeue://<account host>/<prefix>
    events_url   log: · https://<webhook> · eventbridge://<region>/<bus> · eventgrid://<topic host>
    secrets_url  file:///.data/secrets · secretsmanager://<region>/<prefix> · keyvault://<vault host>
    telemetry_url (empty: off) · console: · otlp://<host>:4318 · otlp+https://<host> · azuremonitor: · xray://<region>
    metrics_url  (empty: off) · prometheus: (at /metrics of the local door) · emf: · azuremonitor:
    cache_url    memory: · redis://<host>:<port> · azureredis://<host>:<port> · elasticache://<host>:<port>/<region>/<cache>/<user>

`sqlite:///` and `file:///` are followed by a path relative to the working directory; a fourth slash makes it absolute.
`dynamodb`, `sqs`, `eventbridge` and `secretsmanager` take `?endpoint=http://host:port`, for emulators; it is refused when deployed.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from twofold.driver_registry import drivers
from twofold.errors import SettingsError
from twofold.manifest import ServiceManifest
from twofold.portable.issuers import audiences
from twofold.portable.rate_limit import Rate

PREFIX = "TWOFOLD_"
APP_PREFIX = "TWOFOLD_APP_"
TEST_PREFIX = "TWOFOLD_TEST_"
LOCATIONS = ("store_url", "queue_url", "events_url", "secrets_url")
"""Where a service's data are: a stack makes what its manifest needs of them, and tells where that is."""
MARKER = "twofold.artifact.json"
"""The file that `twofold.deploy.package` writes into an artifact; beside the entry files it means deployed."""
CALLER_HEADER = "X-Twofold-Authorization"
"""Where API Management puts the caller's `Authorization`, when its own token for the app's host takes that place."""
EDGE_HEADER = "X-Twofold-Edge"
"""What CloudFront adds to each request, so that the service knows it came through."""


def _checked(rate: str) -> str:
    Rate.parse(rate)
    return rate


type Limit = Annotated[str, AfterValidator(_checked)]

ORIGIN = "an origin is https://host or https://host:port, in lower case, without a path, never *"
_ORIGIN = re.compile(r"(https?)://([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?::\d{1,5})?")


class Settings(BaseModel):
    """What a process must know. A checkout needs none of it; a deployed unit is given all of it by its stack."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    environment: str = Field("local", pattern=r"^[a-z][a-z0-9]{0,11}$", description="dev, staging, prod …")
    role: str = Field("all", description="which of the service's triggers this process serves")
    store_url: str = Field("sqlite:///.data/twofold.db", description="documents and events")
    queue_url: str = Field("sqlite:///.data/twofold.db", description="message queues")
    events_url: str = Field("log:", description="where integration events are published")
    secrets_url: str = Field("file:///.data/secrets", description="secrets")
    cache_url: str = Field("memory:", description="cache, rate limits and the state of breakers")
    telemetry_url: str = Field("", description="where traces go; nowhere when empty")
    metrics_url: str = Field("", description="where metrics go; nowhere when empty")
    trace_ratio: float = Field(1.0, ge=0, le=1, description="how many of the traces that begin here are recorded")
    limit_reads: Limit = Field("600/minute", description="a subject's safe requests; empty: no limit")
    limit_writes: Limit = Field("300/minute", description="a subject's unsafe requests; empty: no limit")
    limit_anonymous: Limit = Field("600/minute", description="an address's requests without a token; empty: no limit")
    oidc_issuer: str = Field("", description="issuer of the access tokens, as in their `iss`; required when deployed")
    oidc_audience: str = Field(
        "", description="audience of the access tokens, several by commas; required when deployed"
    )
    gateway_id: str = Field(
        "", description="object id of the gateway's identity, the only one that Azure's host lets in"
    )
    edge_digest: str = Field(
        "",
        pattern=r"^([0-9a-f]{64})?$",
        description="SHA-256 of the header by which AWS's edge is known; any way in when empty",
    )
    forwarded_hops: int = Field(
        1,
        ge=1,
        le=5,
        description="how many proxies of ours append to X-Forwarded-For: the client's is the entry so far from the end",
    )
    cors_origins: str = Field("", description="origins whose pages may call the service, by commas; none when empty")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="least severity that is logged")
    app: dict[str, str] = Field(default_factory=dict, description="the service's own settings, by name")
    deployed: bool = Field(False, description="set from the artifact's marker, never from the environment")
    release: str = Field("", description="names the artifact with its settings, see `release`; empty in a checkout")

    @property
    def origins(self) -> tuple[str, ...]:
        """The origins of `cors_origins`, one by one."""
        return tuple(origin.strip() for origin in self.cors_origins.split(",") if origin.strip())

    @classmethod
    def load(cls, environ: Mapping[str, str], manifest: ServiceManifest, root: Path) -> "Settings":
        """Reads the environment; raises SettingsError with every problem found, not only the first."""
        values: dict[str, object] = {}
        app = {spec.name: spec.default for spec in manifest.settings}
        problems: list[str] = []
        names: set[str] = set()
        for key, value in sorted(environ.items()):
            if not key.startswith(PREFIX) or key.startswith(TEST_PREFIX):
                continue
            if key.startswith(APP_PREFIX):
                name = key.removeprefix(APP_PREFIX).lower()
                names.add(name)
                if name in app:
                    app[name] = value
                else:
                    problems.append(f"{key} is unknown; the manifest declares {_listed(app)}")
            elif (field := key.removeprefix(PREFIX).lower()) in ENVIRONMENT_FIELDS:
                values[field] = value
            else:
                problems.append(f"{key} is unknown; known are {_listed(variable_names(manifest))}")
        deployed = (root / MARKER).is_file()
        named = release((root / MARKER).read_text(), environ) if deployed else ""
        try:
            settings = cls.model_validate({**values, "app": app, "deployed": deployed, "release": named})
        except ValidationError as exc:
            problems += [
                f"{PREFIX}{str(e['loc'][0]).upper()} is {values.get(str(e['loc'][0]))!r}: {e['msg'].removeprefix('Value error, ')}"
                for e in exc.errors()
            ]
            settings = cls.model_construct(**{**{k: f.get_default() for k, f in cls.model_fields.items()}, **values})
        roles = {"all", *(unit.role for unit in manifest.units)}
        if settings.role not in roles:
            problems.append(f"{PREFIX}ROLE is {settings.role!r}; this service has {_listed(roles)}")
        problems += _url_problems(settings, deployed)
        if settings.oidc_issuer and not audiences(settings.oidc_audience):
            problems.append(f"{PREFIX}OIDC_AUDIENCE is missing: the issuer's tokens are for others too")
        problems += [
            f"{PREFIX}CORS_ORIGINS has {origin!r}: {ORIGIN}"
            for origin in settings.origins
            if not is_origin(origin, deployed)
        ]
        if deployed:
            problems += _deployed_problems(settings, values, manifest, names)
        if problems:
            raise SettingsError(problems)
        return settings


def is_origin(text: str, deployed: bool) -> bool:
    """Whether it is an exact origin as a browser sends it, of https; in a checkout also one of http on loopback."""
    match = _ORIGIN.fullmatch(text)
    return match is not None and (match[1] == "https" or (not deployed and match[2] in ("localhost", "127.0.0.1")))


ENVIRONMENT_FIELDS = tuple(name for name in Settings.model_fields if name not in ("app", "deployed", "release"))


def variable_names(manifest: ServiceManifest) -> tuple[str, ...]:
    """Every environment variable that this service reads: what a stack must give, no more and no less."""
    return (
        *(PREFIX + name.upper() for name in ENVIRONMENT_FIELDS),
        *(APP_PREFIX + spec.name.upper() for spec in manifest.settings),
    )


def locations(manifest: ServiceManifest) -> tuple[str, ...]:
    """The fields that say where what this service uses is: those of `LOCATIONS` that its manifest has a need for."""
    needed = (manifest.blocks, manifest.queues, manifest.publishes, manifest.secrets)
    return tuple(field for field, uses in zip(LOCATIONS, needed, strict=True) if uses)


def _url_problems(settings: Settings, deployed: bool) -> list[str]:
    problems = []
    for block in ("store", "queue", "events", "secrets", "cache", "telemetry", "metrics"):
        field = f"{block}_url"
        variable, url = PREFIX + field.upper(), getattr(settings, field)
        if not url and block in ("telemetry", "metrics"):
            continue
        schemes = drivers(block)
        parts = urlsplit(url)
        if parts.scheme not in schemes:
            problems.append(f"{variable} is {url!r}: its scheme must be one of {_listed(schemes)}")
        elif parts.username or parts.password:
            problems.append(f"{variable} holds a credential; a location only identifies")
        elif deployed and parts.query:
            problems.append(f"{variable} has options ({parts.query}), which only a checkout takes")
        elif deployed and parts.scheme == "otlp" and parts.hostname not in ("localhost", "127.0.0.1"):
            problems.append(
                f"{variable} is {url!r}, without TLS: deployed it is otlp+https://, or a collector on loopback"
            )
        elif deployed and parts.scheme == "redis":
            problems.append(
                f"{variable} is {url!r}, without login and TLS: deployed it is azureredis://, elasticache:// or memory:"
            )
    return problems


def _deployed_problems(
    settings: Settings, values: Mapping[str, object], manifest: ServiceManifest, names: set[str]
) -> list[str]:
    problems = [
        f"{PREFIX}{name.upper()} is missing; a deployed service needs it"
        for name in ("environment", "role", "oidc_issuer", "oidc_audience")
        if not values.get(name)
    ]
    for field in locations(manifest):
        if urlsplit(getattr(settings, field)).scheme in ("sqlite", "file", "log"):
            problems.append(f"{PREFIX}{field.upper()} is this machine's own; a deployed service needs a managed one")
    if settings.oidc_issuer and not settings.oidc_issuer.startswith("https://"):
        problems.append(f"{PREFIX}OIDC_ISSUER is {settings.oidc_issuer!r}: it must be an https URL")
    problems += [
        f"{APP_PREFIX}{spec.name.upper()} is missing: {spec.description}"
        for spec in manifest.settings
        if spec.required and spec.name not in names
    ]
    return problems


def _listed(names: object) -> str:
    return ", ".join(sorted(names)) or "none"  # type: ignore[call-overload]


def marker(service: str, version: str, cloud: str, build: str = "") -> str:
    """The text of an artifact's marker; `build` is a digest of everything else in it."""
    return json.dumps({"build": build, "cloud": cloud, "service": service, "twofold": version}, sort_keys=True) + "\n"


def release(marker: str, environ: Mapping[str, str]) -> str:
    """A short name for an artifact under its settings: who knows both can ask a service whether it runs them.

    Variables that are empty count as not given, since not every host passes them on.
    """
    own_variables = {key: value for key, value in environ.items() if key.startswith(PREFIX) and value}
    own = {key: value for key, value in sorted(own_variables.items()) if not key.startswith(TEST_PREFIX)}
    return hashlib.sha256(json.dumps([marker, own]).encode()).hexdigest()[:16]
