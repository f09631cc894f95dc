"""ServiceManifest: the service, declared once as plain data. Triggers, loops, queues and permissions follow from it.

Handlers are named as `"package.module:attribute"` and imported only by the unit that runs them, so that importing a
manifest stays cheap: the stacks and both doors read it.
"""

import importlib
import re
from dataclasses import dataclass, field
from typing import Any, Literal

from twofold.portable import profile

type Block = Literal["documents", "events"]
BLOCKS = ("documents", "events")

RESERVED_UNITS = (
    "all", "http", "feed", "schedule", "releases", "gateway", "static", "access", "alarms", "edge",
)  # fmt: skip
"""Besides the other units' names, those that a cloud's stack has for something else of the same type."""
MAX_ATTEMPT_SECONDS = 300
_MINUTES = (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60)
DOCUMENTS = "documents"
"""The collection that every store has: the kit's own records lie in it."""
MAX_COLLECTIONS = 5
"""Of a store in all: an alarm on AWS looks at ten metrics (CloudWatch's limits of metric math), and at two of each table."""
_RESERVED_COLLECTIONS = {"events": "is the event store's: name the block", "leases": "is the feed's on Azure"}
_SCOPE = re.compile(r"[!#-\[\]-~]+")
_SETTING = re.compile(r"[a-z][a-z0-9_]{0,62}")
_NAME = re.compile(r"[a-z](?:-?[a-z0-9]){0,23}")


def _check_name(kind: str, name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{kind} {name!r} must be 1 to 24 of a-z, 0-9 and single hyphens, a letter first")


@dataclass(frozen=True, slots=True)
class QueueSpec:
    """A queue and its worker: `async handler(services, message) -> None`; raising means that it failed.

    After `max_attempts` failures a message is dead-lettered; they come after up to 2, 4, 8 … 900 seconds, so five take half a
    minute and twelve most of an hour. An attempt that takes longer than `visibility_seconds` (at most 300) has failed. With
    `once` a message that was worked off does nothing when it is delivered again within a day, nor two at once; that takes a
    record in the store. `unit` is what it is deployed in: queues that name a unit of their own share neither instances nor
    permissions with others.
    """

    name: str
    handler: str
    max_attempts: int = 5
    visibility_seconds: int = 60
    unit: str = "worker"
    once: bool = False

    def __post_init__(self) -> None:
        profile.check_queue_name(self.name)
        _check_name("unit", self.unit)
        if self.unit in RESERVED_UNITS:
            raise ValueError(f"queue {self.name!r}: the unit {self.unit!r} is taken; choose another name")
        if not 1 <= self.visibility_seconds <= MAX_ATTEMPT_SECONDS or not 1 <= self.max_attempts <= 100:
            raise ValueError(
                f"queue {self.name!r}: visibility_seconds must be 1 to {MAX_ATTEMPT_SECONDS}, max_attempts 1 to 100"
            )


@dataclass(frozen=True, slots=True)
class ScheduleSpec:
    """`async handler(services) -> None`, every so many minutes of the hour (UTC); one run at a time, 300 s at most."""

    name: str
    handler: str
    every_minutes: int = 5

    def __post_init__(self) -> None:
        _check_name("schedule", self.name)
        if self.every_minutes not in _MINUTES:
            raise ValueError(f"schedule {self.name!r}: every_minutes must be one of {_MINUTES}")


@dataclass(frozen=True, slots=True)
class ConsumerSpec:
    """A feed consumer: `async handler(services, commit) -> None`, called in order per stream, at least once."""

    name: str
    handler: str
    max_attempts: int = 5

    def __post_init__(self) -> None:
        _check_name("consumer", self.name)


@dataclass(frozen=True, slots=True)
class ProjectionSpec:
    """A feed consumer that keeps a read model: `async handler(services, model, commit) -> None`.

    It writes through `model` alone, which `services.read_models.live(name)` reads; so `twofold rebuild` can build it anew.
    """

    name: str
    handler: str
    max_attempts: int = 5

    def __post_init__(self) -> None:
        _check_name("projection", self.name)


@dataclass(frozen=True, slots=True)
class SecretSpec:
    """A secret that the service reads by name; its value is set outside the stacks' program."""

    name: str
    description: str = ""

    def __post_init__(self) -> None:
        profile.check_secret_name(self.name)


@dataclass(frozen=True, slots=True)
class SettingSpec:
    """A plain setting of the service's own, read from `TWOFOLD_APP_<NAME>` as `services.settings.app[name]`.

    `default` serves a checkout; a deployed service must be given a value unless `required` is false.
    """

    name: str
    description: str
    default: str = ""
    required: bool = True

    def __post_init__(self) -> None:
        if not _SETTING.fullmatch(self.name):
            raise ValueError(
                f"setting {self.name!r} must be a-z, 0-9 and _, a letter first: it is read from TWOFOLD_APP_…"
            )


@dataclass(frozen=True, slots=True)
class Unit:
    """A role of the service that is deployed as one function (app) with its own identity, and the queues it works off."""

    role: str
    description: str
    queues: tuple[QueueSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class ServiceManifest:
    """One service.

    `app` names an ASGI application (`"pkg.main:app"`) or a function `create_app(services)` that makes one. `blocks` are
    the stores it uses: what is not named is not provisioned. `collections` are those that `services.documents` has: each is
    a table or container of its own, and any other name is refused; `documents` is always there. `packages` are the folders
    that go into the artifact.
    `publishes` are the types of the integration events it sends out.
    `upcasters` names the service's `{(type, schema): function}` for events of earlier shapes.
    """

    name: str
    app: str
    title: str = ""
    blocks: frozenset[Block] = frozenset()
    collections: tuple[str, ...] = (DOCUMENTS,)
    packages: tuple[str, ...] = ("api",)
    queues: tuple[QueueSpec, ...] = ()
    consumers: tuple[ConsumerSpec, ...] = ()
    projections: tuple[ProjectionSpec, ...] = ()
    schedules: tuple[ScheduleSpec, ...] = ()
    secrets: tuple[SecretSpec, ...] = ()
    settings: tuple[SettingSpec, ...] = ()
    publishes: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    upcasters: str = ""
    sample_request: str = field(default="", metadata={"doc": "curl arguments after the URL, printed by `twofold run`"})

    def __post_init__(self) -> None:
        _check_name("service", self.name)
        if self.reads_feed and "events" not in self.blocks:
            raise ValueError("feed consumers and projections need the block 'events'")
        if (self.schedules or self.reads_feed) and "documents" not in self.blocks:
            raise ValueError(
                "schedules, feed consumers and projections need the block 'documents' for their own records"
            )
        if unknown := sorted(self.blocks - set(BLOCKS)):
            raise ValueError(f"there is no block {', '.join(unknown)}; there are {', '.join(BLOCKS)}")
        if bad := [scope for scope in self.scopes if not _SCOPE.fullmatch(scope)]:
            raise ValueError(
                f"scopes {bad} must be of printable ASCII, without spaces, quotes and backslashes (RFC 6749)"
            )
        self._check_collections()
        if any(spec.once for spec in self.queues) and "documents" not in self.blocks:
            raise ValueError("a queue with `once` needs the block 'documents' for its records")
        unique = {kind: getattr(self, kind) for kind in ("schedules", "secrets", "settings")}
        if len(self.scopes) != len(set(self.scopes)):
            raise ValueError(f"scopes have a name twice: {self.scopes}")
        unique["queues, consumers and projections"] = self.queues + self.consumers + self.projections
        for kind, specs in unique.items():
            names = [spec.name for spec in specs]
            if len(names) != len(set(names)):
                raise ValueError(f"{kind} have a name twice: {names}")

    def _check_collections(self) -> None:
        for name in self.collections:
            profile.check_collection(name)
            if name in _RESERVED_COLLECTIONS:
                raise ValueError(f"the collection {name!r} {_RESERVED_COLLECTIONS[name]}")
        if len(self.store_collections) > MAX_COLLECTIONS:
            raise ValueError(
                f"collections: a store has at most {MAX_COLLECTIONS}, not {', '.join(self.store_collections)}"
            )
        if self.collections != (DOCUMENTS,) and DOCUMENTS not in self.blocks:
            raise ValueError("collections need the block 'documents'")

    @property
    def store_collections(self) -> tuple[str, ...]:
        """Every collection that its store has, and no other: the ones named, the kit's own, the events."""
        return tuple(sorted({*self.collections, DOCUMENTS, *self.blocks})) if self.blocks else ()

    @property
    def reads_feed(self) -> bool:
        """Whether anything is to be told of every commit."""
        return bool(self.consumers or self.projections)

    @property
    def units(self) -> tuple[Unit, ...]:
        """What is deployed: HTTP always, the others where the manifest has work for them."""
        units = [Unit("http", "answers requests")]
        if self.reads_feed:
            units.append(Unit("feed", "projections and outbox, from the change feed"))
        if self.schedules:
            units.append(Unit("schedule", "scheduled work"))
        for role in dict.fromkeys(spec.unit for spec in self.queues):
            queues = tuple(spec for spec in self.queues if spec.unit == role)
            units.append(Unit(role, "queues: " + ", ".join(spec.name for spec in queues), queues))
        return tuple(units)


def load(target: str) -> Any:
    """The object that `"package.module:attribute"` names; ValueError when the text has another form."""
    module, separator, attribute = target.partition(":")
    if not separator or not module or not attribute:
        raise ValueError(f"{target!r} must have the form 'package.module:attribute'")
    return getattr(importlib.import_module(module), attribute)
