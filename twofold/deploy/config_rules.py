"""What keys of stack config can't be together: on this cloud, for this service, in this environment."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from twofold.deploy import clouds, names
from twofold.deploy.config import LIMITS
from twofold.deploy.config_values import listed
from twofold.manifest import ServiceManifest
from twofold.portable.rate_limit import Rate

MAX_INSTANCES = 1000
AZURE_INSTANCES = 100
"""Of a unit on Azure that says nothing about it."""
COGNITO_SCOPE = re.compile(r"[\x21\x23-\x2e\x30-\x5b\x5d-\x7e]{1,256}")
"""A scope's name on a resource server of Cognito's (ResourceServerScopeType): no slash, no space, no quote."""
COGNITO_SCOPES = 100
COGNITO_WORDS = ("aws", "amazon", "cognito")
"""What the name of a user pool's login page may not have in it (CreateUserPoolDomain)."""
QUEUE_POLLER = 2
"""The least that Lambda's poller of a queue can be bounded to; what it hands out beyond `maxInstances` SQS counts as received."""
ONLY: Mapping[str, tuple[str, ...]] = {
    "aws": ("account", "assumeRole", "externalId", "permissionsBoundary", "snapStart"),
    "azure": (
        "apim",
        "apimSku",
        "gatewayAudience",
        "subscription",
        "tenant",
        "deployer",
        "logWorkspace",
        "encryptionIdentity",
        "rollingUpdates",
        "registry",
    ),
}
"""Keys that mean something on one cloud alone."""
PINS = {"aws": ("account",), "azure": ("subscription", "tenant")}
"""What says whose cloud a stack is in."""
FORM = {
    "aws": {"image": ".amazonaws.com/", "dnsZone": "Z", "encryptionKey": "arn:", "subnets": "subnet-"},
    "azure": {"image": ".azurecr.io/", "dnsZone": "/sub", "encryptionKey": "https:", "subnets": "/sub"},
}
"""How a value that both clouds have looks on each."""


def problems(
    entries: Mapping[str, str], values: Mapping[str, Any], raw: Mapping[str, str], stack: str, manifest: ServiceManifest
) -> list[str]:
    """A line for each rule that is broken, with what to do. `values` has the objects of texts and numbers, read."""
    texts: list[str] = []
    for rule in (_stack, _names, _service, _cloud, _issuer, _gateway, _needs, _network, _account, _units):
        texts += rule(entries, values, raw, stack, manifest)
    return texts


type Rule = Callable[[Mapping[str, str], Mapping[str, Any], Mapping[str, str], str, ServiceManifest], Iterable[str]]


def _stack(entries: Mapping[str, str], _v: object, raw: Mapping[str, str], stack: str, _m: object) -> Iterable[str]:
    cloud, customer = entries.get("cloud", ""), entries.get("customer")
    if cloud not in clouds():
        return
    location = raw.get("azure-native:location", "")
    if location and cloud == "azure" and location != entries.get("region"):
        yield f"azure-native:location is {location!r}, but all lies in twofold:region, {entries.get('region')!r}: leave it out"
    if not stack.endswith(f"-{cloud}"):
        yield (
            f"twofold:cloud is {cloud!r} but the stack is {stack!r}: its name must end in '-{cloud}'. To change clouds make a "
            f"new stack; changing a living one would delete its data"
        )
    elif (own := stack.rpartition("/")[2]) != (
        named := "-".join(filter(None, (customer, entries.get("environment"), cloud)))
    ):
        prefix = f"twofold:customer is {customer!r} and " if customer else ""
        yield (
            f"{prefix}twofold:environment is {entries.get('environment')!r}, so this stack's name must be {named!r}; it is {own!r}"
            ": a file that was copied still names what it was copied from"
        )


def _names(entries: Mapping[str, str], _v: object, _r: object, _s: str, manifest: ServiceManifest) -> Iterable[str]:
    parts = (manifest.name, entries.get("customer", ""), entries.get("environment", ""))
    yield from names.problems("-".join(part for part in parts if part), entries, manifest)


def _service(_g: object, values: Mapping[str, Any], _r: object, _s: str, manifest: ServiceManifest) -> Iterable[str]:
    known = {spec.name for spec in manifest.settings}
    for name in sorted(set(values["settings"]) - known):
        yield f"twofold:settings has {name!r}, which the manifest does not declare; it has {sorted(known)}"
    for spec in manifest.settings:
        if spec.required and not values["settings"].get(spec.name):
            yield f"twofold:settings.{spec.name} is missing: {spec.description}"
    for kind, rate in values["limits"].items():
        if kind not in LIMITS:
            yield f"twofold:limits has {kind!r}; it may have {', '.join(LIMITS)}"
        try:
            Rate.parse(rate)
        except ValueError as exc:
            yield f"twofold:limits.{kind} is {rate!r}: {exc}"


def _cloud(entries: Mapping[str, str], _v: object, _r: object, _s: str, _m: object) -> Iterable[str]:
    cloud = entries.get("cloud", "")
    for other, keys in ONLY.items():
        owner = {"aws": "AWS's", "azure": "Azure's"}[other]
        if cloud in clouds() and cloud != other:
            yield from (f"twofold:{key} is {owner}; leave it out on {cloud}" for key in keys if entries.get(key))
    for key, mark in FORM.get(cloud, {}).items():
        values = listed(entries.get(key, ""))
        fine = (lambda one: mark in one) if key == "image" else (lambda one: one.startswith(mark))  # noqa: B023
        if values and not all(map(fine, values)):
            yield f"twofold:{key} is {entries[key]!r}, another cloud's; on {cloud} it has the form {mark}…"
    region = entries.get("region", "")
    if cloud == "aws" and region and region.count("-") < 2:
        yield f"twofold:region is {region!r}, which is no AWS region; they look like eu-central-1"
    if cloud == "azure" and "-" in region:
        yield f"twofold:region is {region!r}, which is no Azure location; they look like westeurope"


def _issuer(entries: Mapping[str, str], _v: object, _r: object, _s: str, manifest: ServiceManifest) -> Iterable[str]:
    managed = entries.get("issuer") == "managed"
    if entries.get("machineClient") == "true" and not (managed and manifest.scopes):
        yield "twofold:machineClient is a client of the managed issuer for the manifest's scopes: set twofold:issuer managed"
    if not managed:
        return
    if entries.get("cloud") == "azure":
        yield (
            "twofold:issuer is 'managed', which is AWS's: an Entra app registration is no resource of Resource Manager; "
            "docs/issuer.md has the five commands, and twofold:oidcIssuer and oidcAudience take what they print"
        )
    yield from (
        f"twofold:{key} and twofold:issuer managed both say whose tokens are taken: leave one out"
        for key in ("oidcIssuer", "oidcAudience")
        if entries.get(key)
    )
    named = "-".join(
        part for part in (manifest.name, entries.get("customer", ""), entries.get("environment", "")) if part
    )
    for word in COGNITO_WORDS:
        if word in named:
            yield f"twofold:issuer is 'managed', and Cognito takes no login page named {named!r}, with {word!r} in it"
    if refused := [scope for scope in manifest.scopes if not COGNITO_SCOPE.fullmatch(scope)]:
        yield f"twofold:issuer is 'managed', and Cognito takes no scope {', '.join(map(repr, refused))}"
    if len(manifest.scopes) > COGNITO_SCOPES:
        yield f"twofold:issuer is 'managed', and Cognito takes {COGNITO_SCOPES} scopes; the manifest has {len(manifest.scopes)}"


def _gateway(entries: Mapping[str, str], _v: object, _r: object, _s: str, manifest: ServiceManifest) -> Iterable[str]:
    cloud, gateway = entries.get("cloud"), entries.get("gateway") or "managed"
    if gateway == "none":
        if not manifest.scopes:
            yield (
                "twofold:gateway is 'none', but the service verifies no tokens: declare its scopes in the manifest, or keep a "
                "gateway"
            )
        if entries.get("edge", "none") != "none":
            yield "twofold:edge needs a gateway behind it: set twofold:gateway to managed, or leave the edge out"
        if entries.get("gatewayRate"):
            yield "twofold:gatewayRate needs a gateway that counts; the service's own limits hold without"
    if cloud == "aws" and gateway == "existing":
        yield (
            "twofold:gateway is 'existing', which is Azure's: an HTTP API costs nothing at rest, so each service has its own"
        )
    if cloud == "azure":
        if (gateway == "existing") != bool(entries.get("apim")):
            yield "twofold:apim names the existing service: give it with twofold:gateway existing, and only then"
        if entries.get("gatewayRate") and gateway != "none" and entries.get("apimSku", "Consumption") == "Consumption":
            yield (
                "twofold:gatewayRate is set, but API Management's Consumption tier counts only subscription keys: choose another "
                "twofold:apimSku, or leave the rate to the service's own limits"
            )


def _needs(entries: Mapping[str, str], _v: object, _r: object, _s: str, _m: object) -> Iterable[str]:
    edge, cloud = entries.get("edge", "none") != "none", entries.get("cloud")
    if entries.get("static") and not edge:
        yield "twofold:static is served by the edge: set twofold:edge waf"
    if bool(entries.get("domain")) != bool(entries.get("dnsZone")):
        yield "twofold:domain and twofold:dnsZone go together: the name, and the zone that its records are written to"
    if entries.get("domain") and entries.get("gateway") == "none":
        yield "twofold:domain needs a gateway or an edge that answers for it"
    if entries.get("domain") and cloud == "azure" and not edge:
        yield "twofold:domain on azure needs twofold:edge waf: Front Door gets and renews the certificate"
    zone = entries.get("dnsZone", "").rpartition("/")[2]
    if entries.get("domain") and cloud == "azure" and zone and not entries["domain"].endswith(f".{zone}"):
        yield (
            f"twofold:domain is {entries['domain']!r}, which is no name below the zone {zone}: Front Door renews a certificate by "
            "itself only where the name is a CNAME of its own"
        )
    if entries.get("budget") and not entries.get("alertEmail"):
        yield "twofold:budget tells somebody: set twofold:alertEmail"
    image, registry = entries.get("image", ""), entries.get("registry", "")
    if cloud == "azure" and image.partition(".azurecr.io/")[0].lower() != registry.rpartition("/")[2].lower():
        yield "twofold:image and twofold:registry go together: the image, and the resource id of the registry that has it"
    if cloud == "azure" and image and entries.get("rollingUpdates") == "true":
        yield "twofold:rollingUpdates is Flex Consumption's; containers are always replaced so: leave it out with an image"
    if cloud == "azure" and image and entries.get("network") == "private":
        yield "twofold:image with twofold:network private is not there on azure yet: deploy the zip, or leave the network out"
    if entries.get("image") and entries.get("artifact"):
        yield "twofold:image and twofold:artifact both say what runs: leave one out"
    if entries.get("snapStart") == "true" and (entries.get("image") or entries.get("warmInstances")):
        yield "twofold:snapStart can't be had with an image or with warmInstances (Lambda): choose one"
    if cloud == "azure" and bool(entries.get("encryptionKey")) != bool(entries.get("encryptionIdentity")):
        yield "twofold:encryptionKey and twofold:encryptionIdentity go together: the key, and the identity that may use it"
    if cloud == "aws" and entries.get("encryptionKey", "arn:").startswith("arn:"):
        region = (entries.get("encryptionKey", "").split(":") + [""] * 4)[3]
        if region not in ("", entries.get("region")):
            yield f"twofold:encryptionKey is in {region}, where a KMS key stays; the stack is in {entries.get('region')}"


def _network(entries: Mapping[str, str], _v: object, _r: object, _s: str, _m: object) -> Iterable[str]:
    cloud, subnets = entries.get("cloud"), listed(entries.get("subnets", ""))
    if subnets:
        networked = entries.get("network") == "private" or (cloud == "aws" and entries.get("cache") == "redis")
        if not networked:
            yield "twofold:subnets say where a private network is: set twofold:network private"
        count = len(subnets)
        if (cloud == "azure" and count != 2) or count < 2:
            yield f"twofold:subnets has {count}; {'two: the apps’, the endpoints’' if cloud == 'azure' else 'two or more'}"
        if len(set(subnets)) < count:
            yield "twofold:subnets has one of them twice; each has its own work"
    if cloud == "azure" and subnets:
        if len({subnet.rpartition("/subnets/")[0] for subnet in subnets}) > 1:
            yield "twofold:subnets lie in two virtual networks; apps and endpoints share one"
        if "_" in subnets[0].rpartition("/")[2]:
            yield "twofold:subnets has apps in a subnet with '_' in its name, which Flex Consumption can't use"


def _account(entries: Mapping[str, str], _v: object, raw: Mapping[str, str], _s: str, _m: object) -> Iterable[str]:
    cloud, production = entries.get("cloud", ""), entries.get("environment") == "prod"
    if production:
        yield from (
            f"twofold:{key} is missing: a production stack says whose cloud it is in"
            for key in PINS.get(cloud, ())
            if not entries.get(key)
        )
    if entries.get("externalId") and not entries.get("assumeRole"):
        yield "twofold:externalId is for assuming a role: set twofold:assumeRole"
    if entries.get("assumeRole") and f"::{entries.get('account') or ''}" not in entries["assumeRole"]:
        yield f"twofold:assumeRole is not in twofold:account {entries['account']}"
    for key, provider in (("subscription", "azure-native:subscriptionId"), ("tenant", "azure-native:tenantId")):
        if entries.get(key) and raw.get(provider) not in (None, entries[key]):
            yield f"twofold:{key} and {provider} differ: {entries[key]!r}, {raw[provider]!r}"


def _units(
    entries: Mapping[str, str], values: Mapping[str, Any], _r: object, _s: str, m: ServiceManifest
) -> Iterable[str]:
    roles, azure = [unit.role for unit in m.units], entries.get("cloud") == "azure"
    functions = {unit.role: len(unit.queues) for unit in m.units if unit.queues} | {"schedule": len(m.schedules)}
    for key, name in (("maxInstances", "max_instances"), ("warmInstances", "warm_instances")):
        for role, count in values[name].items():
            if role not in roles:
                yield f"twofold:{key} has {role!r}; the service's units are {', '.join(roles)}"
            if not 1 <= count <= MAX_INSTANCES:
                yield f"twofold:{key}.{role} is {count}; allowed: 1 to {MAX_INSTANCES}"
    for unit in m.units if entries.get("cloud") == "aws" else ():
        least = QUEUE_POLLER * len(unit.queues)
        if values["max_instances"].get(unit.role, least) < least:
            yield f"twofold:maxInstances.{unit.role} is less than {least}: Lambda's queue poller runs {QUEUE_POLLER} a queue"
    for role, warm in values["warm_instances"].items():
        most, times = values["max_instances"].get(role, AZURE_INSTANCES if azure else MAX_INSTANCES), 1
        if azure:
            times = functions.get(role, 1)
        if warm * times > most:
            each = f" for each of its {times} functions" if times > 1 else ""
            yield f"twofold:warmInstances.{role} is {warm}{each}: more than its maxInstances, {most}"
