"""Names that a service's, customer's, environment's and part's names make up, and what each cloud takes for them.

Only those that can go wrong; tests/stacks/test_names.py holds the name of every resource to its cloud's rule.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from twofold.manifest import ServiceManifest
from twofold.portable.message_queue import dead_letter_name

RESERVED, RESERVED_FIRST = ("microsoft", "windows"), ("login", "xbox")
"""Words that no Azure name with a public address has, or begins with ("Resolve errors for reserved resource names")."""


class Name(NamedTuple):
    """`kind` says whose name it is; it may have `least` to `most` characters."""

    kind: str
    text: str
    most: int
    least: int = 1


def problems(prefix: str, entries: Mapping[str, str], manifest: ServiceManifest) -> Iterable[str]:
    """A line for each name that the stack's cloud would refuse, which it does after many resources."""
    cloud = entries.get("cloud", "")
    names = {"aws": _aws, "azure": _azure}.get(cloud, lambda *_: ())
    for kind, text, most, least in names(prefix, entries, manifest):
        if not least <= len(text) <= most:
            change = "shorten" if len(text) > most else "lengthen"
            yield (
                f"{text!r} has {len(text)} characters, and {kind} may have {least} to {most} on {cloud}: {change} "
                "the name of the part, service, customer or environment"
            )
    if cloud == "azure":
        words = [word for word in RESERVED if word in prefix]
        for word in [*words, *(word for word in RESERVED_FIRST if prefix.startswith(word))]:
            yield f"{prefix!r} has the word {word!r}, which Azure reserves: choose another name for service or customer"


def _aws(prefix: str, entries: Mapping[str, str], manifest: ServiceManifest) -> Iterator[Name]:
    for unit in manifest.units:
        yield Name("a function's and its role's name", f"{prefix}-{unit.role}", 64)
    for schedule in manifest.schedules:
        yield Name("a schedule's role's name", f"{prefix}-{schedule.name}-schedule", 64)
    for queue in manifest.queues:
        yield Name("a dead-letter queue's name", f"{prefix}-{dead_letter_name(queue.name)}", 80)
    if entries.get("cache") == "redis":
        yield Name("a cache's name", prefix, 40)


def _azure(prefix: str, entries: Mapping[str, str], manifest: ServiceManifest) -> Iterator[Name]:
    for unit in () if entries.get("image") else manifest.units:
        yield Name("an app's plan's name", f"{prefix}-{unit.role}", 60)
        yield Name("a unit's container's name", unit.role, 63, least=3)
    for queue in manifest.queues:
        yield Name("a dead-letter queue's name", f"{manifest.name}-{dead_letter_name(queue.name)}", 63)
    if entries.get("network") == "private" and entries.get("cache") == "redis":
        yield Name("a private endpoint's name", f"{prefix}-redisEnterprise", 64, least=2)
    if not entries.get("logWorkspace"):
        yield Name("a log workspace's name", prefix, 63, least=4)
