"""What a commit consists of: writes under conditions, within the portable profile."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from twofold.errors import ProfileError
from twofold.portable import profile

type Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold for a write to happen; see `ANY`, `ABSENT` and `at_version(v)`."""

    kind: str
    version: str | None = None


ANY = Condition("any")
"""No condition."""
ABSENT = Condition("absent")
"""No document with this id exists; an expired one counts as absent."""


def at_version(version: str) -> Condition:
    """The document exists, has not expired and has exactly this version."""
    return Condition("version", version)


@dataclass(frozen=True, slots=True)
class Put:
    """Creates or replaces a document as a whole."""

    id: str
    body: Body
    condition: Condition = ANY
    expires_at: int | None = None


@dataclass(frozen=True, slots=True)
class Delete:
    """Deletes a document; one that is missing is no error under ANY."""

    id: str
    condition: Condition = ANY


@dataclass(frozen=True, slots=True)
class Check:
    """Writes nothing; holds the commit to a condition (ABSENT or a version) on another document of the partition.

    A version read before a Check still holds after it, also where the backend then shows another text for it (Cosmos DB).
    """

    id: str
    condition: Condition


type Write = Put | Delete | Check


def check_writes(writes: Sequence[Write]) -> None:
    """One commit's: 1 to 100 distinct ids, 1 MB in all; what a Cosmos DB batch needs two operations for counts double."""
    if not writes:
        raise ProfileError("a commit needs at least one write")
    ids: set[str] = set()
    operations = size = 0
    for write in writes:
        profile.check_id(write.id)
        if write.id in ids:
            raise ProfileError(f"id {write.id!r} stands twice in one commit")
        ids.add(write.id)
        operations += 1
        match write:
            case Put():
                size += len(profile.encode_body(write.body))
                if write.expires_at is not None and type(write.expires_at) is not int:
                    raise ProfileError("expires_at must be whole seconds since the epoch")
            case Delete(condition=Condition(kind="absent")):
                raise ProfileError("a Delete under ABSENT deletes nothing; use Check(id, ABSENT)")
            case Delete(condition=Condition(kind="any")) if len(writes) > 1:
                operations += 1
            case Check(condition=Condition(kind="any")):
                raise ProfileError("a Check needs ABSENT or a version")
            case Check(condition=Condition(kind="absent")):
                operations += 1
    if operations > profile.MAX_COMMIT_WRITES:
        raise ProfileError(f"a commit has {operations} operations; the limit is {profile.MAX_COMMIT_WRITES}")
    if size > profile.MAX_COMMIT_BYTES:
        raise ProfileError(f"a commit is {size} bytes; the limit is {profile.MAX_COMMIT_BYTES}")
