"""What each key of stack config may be, by itself."""

import re
from collections.abc import Callable, Mapping

from twofold.deploy import clouds
from twofold.settings import ORIGIN, is_origin

MEMORY_MB = (512, 1024, 2048, 4096)
LOG_LEVELS = ("debug", "info", "warning", "error")
CACHES = ("none", "redis")
ISSUERS = ("existing", "managed")
GATEWAYS = ("managed", "existing", "none")
EDGES = ("none", "waf")
NETWORKS = ("none", "private")
APIM_SKUS = ("Consumption", "Developer", "Basic", "BasicV2", "Standard", "StandardV2", "Premium")
MAX_RELEASES = 50

GUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_GROUP = rf"/subscriptions/{GUID}/resourceGroups/[^/]+/providers"
SUBNET = rf"{_GROUP}/Microsoft\.Network/virtualNetworks/[^/]+/subnets/[^/]+"
DIGEST = r"[0-9a-f]{64}"

type Form = tuple[Callable[[str], bool], str]
"""Whether a text is fine, and what would be."""


def problems(entries: Mapping[str, str]) -> list[str]:
    """A line for each key whose value is none that it may have; what is empty counts as not given."""
    return [
        f"twofold:{key} is {entries[key]!r}; allowed: {allowed}"
        for key, (fine, allowed) in FORMS.items()
        if entries.get(key) and not fine(entries[key])
    ]


def listed(text: str) -> list[str]:
    """The parts between commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


def _one_of(allowed: tuple[object, ...]) -> Form:
    return lambda text: text in map(str, allowed), ", ".join(map(str, allowed))


def _matches(pattern: str, allowed: str) -> Form:
    return lambda text: re.fullmatch(pattern, text) is not None, allowed


def _number(least: int, most: int, unit: str) -> Form:
    return lambda text: text.isascii() and text.isdigit() and least <= int(text) <= most, f"{unit}, {least} to {most}"


FORMS: Mapping[str, Form] = {
    "cloud": _one_of(clouds()),
    "environment": _matches(r"[a-z0-9]{1,12}", "1 to 12 of a-z, 0-9"),
    "customer": _matches(r"[a-z][a-z0-9]{0,11}", "1 to 12 of a-z, 0-9, a letter first"),
    "oidcIssuer": (lambda text: text.startswith("https://"), "an https URL"),
    "oidcAudience": (lambda text: bool(listed(text)), "an audience, or several by commas"),
    "issuer": _one_of(ISSUERS),
    "machineClient": _one_of(("true", "false")),
    "corsOrigins": (
        lambda text: all(is_origin(one, deployed=True) for one in listed(text)), f"origins by commas; {ORIGIN}",
    ),
    "memoryMb": _one_of(MEMORY_MB),
    "logLevel": _one_of(LOG_LEVELS),
    "protect": _one_of(("true", "false")),
    "snapStart": _one_of(("true", "false")),
    "rollingUpdates": _one_of(("true", "false")),
    "cache": _one_of(CACHES),
    "gateway": _one_of(GATEWAYS),
    "edge": _one_of(EDGES),
    "network": _one_of(NETWORKS),
    "apimSku": _one_of(APIM_SKUS),
    "apim": _matches(
        r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.ApiManagement/service/[A-Za-z][A-Za-z0-9-]*",
        "the resource id of an API Management service",
    ),
    "gatewayRate": _number(1, 10_000, "requests per second"),
    "releases": _number(1, MAX_RELEASES, "how many are kept"),
    "budget": _number(1, 10_000_000, "a month's amount in the account's currency, without cents"),
    "artifact": _matches(DIGEST, "the output `artifact` of the stack that has it, 64 hexadecimal digits"),
    "image": _matches(
        rf"[a-z0-9][a-z0-9.-]+\.(?:azurecr\.io|dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com)/[a-z0-9][a-z0-9._/-]*@sha256:{DIGEST}",
        "an image in ECR or Azure Container Registry by its digest: <registry>/<name>@sha256:…",
    ),
    "registry": _matches(
        rf"{_GROUP}/Microsoft\.ContainerRegistry/registries/[A-Za-z0-9]{{5,50}}", "a container registry's resource id"
    ),
    "account": _matches(r"[0-9]{12}", "an AWS account's 12 digits"),
    "assumeRole": _matches(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]+", "a role's ARN"),
    "externalId": _matches(r"[\w+=,.@:/-]{2,1224}", "2 to 1,224 characters as STS takes them"),
    "permissionsBoundary": _matches(
        r"arn:aws[a-z-]*:iam::(?:[0-9]{12}|aws):policy/[\w+=,.@/-]+", "a policy's ARN"
    ),
    "subscription": _matches(GUID, "a subscription's id"),
    "tenant": _matches(GUID, "a tenant's id"),
    "deployer": _matches(
        rf"(?:User|Group|ServicePrincipal):{GUID}", "User, Group or ServicePrincipal, a colon and the object id in Entra"
    ),
    "subnets": (
        lambda text: all(re.fullmatch(rf"subnet-[0-9a-f]{{8,17}}|{SUBNET}", one) for one in listed(text)),
        "ids by commas: at least two private subnets of a VPC; on azure the apps', then the endpoints' resource id",
    ),
    "dnsZone": _matches(
        rf"Z[A-Z0-9]{{6,31}}|{_GROUP}/Microsoft\.Network/dnsZones/[a-z0-9.-]+",
        "a Route 53 hosted zone's id, or an Azure DNS zone's resource id",
    ),
    "domain": _matches(r"(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,}", "a domain name, lower case"),
    "encryptionKey": _matches(
        r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[\w-]+|https://[a-z0-9-]+\.vault\.azure\.net/keys/[\w-]+",
        "a KMS key's ARN, or a Key Vault key's URL without its version",
    ),
    "encryptionIdentity": _matches(
        rf"{_GROUP}/Microsoft\.ManagedIdentity/userAssignedIdentities/[^/]+", "a managed identity's resource id"
    ),
    "logWorkspace": _matches(
        rf"{_GROUP}/Microsoft\.OperationalInsights/workspaces/[^/]+", "a Log Analytics workspace's resource id"
    ),
    "publisherEmail": _matches(r"[^@\s]+@[^@\s]+", "an address"),
    "alertEmail": _matches(r"[^@\s]+@[^@\s]+", "an address"),
    "alertWebhook": (lambda text: text.startswith("https://"), "an https URL"),
    "telemetry": (
        lambda text: text in ("none", "managed") or text.startswith("otlp+https://"),
        "none, managed, or a collector's otlp+https://<host>",
    ),
    "traceRatio": _matches(r"0(?:\.[0-9]{1,6})?|1(?:\.0{1,6})?", "a part of all traces, 0 to 1"),
    "static": _matches(r"(?!.*\.\.)[\w.-]+(?:/[\w.-]+)*", "a folder in the project, like site"),
}  # fmt: skip
