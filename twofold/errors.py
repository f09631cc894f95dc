"""What can go wrong, as one tree.

    TwofoldError
    ├── SettingsError            the environment (or stack config) is wrong; lists every problem
    ├── HandlerError             code that the manifest names can't be imported or called; lists every problem
    ├── ProfileError             a value exceeds the portable profile; names the limit
    │   └── UnknownCollection    the manifest does not have it
    ├── StoreError
    │   ├── Conflict             a write's condition did not hold; nothing was written
    │   ├── StoreRefused         the store refused what was asked of it as invalid; it would again
    │   ├── StoreThrottled       the store refused for load; may be retried
    │   └── StoreUnavailable     the store did not answer, or answered with its own failure
    ├── PositionError            a position that no read of this stream returned
    ├── EventFormatError         a stored event or commit that this version can't read
    ├── SecretError
    │   ├── SecretNotFound       no secret has this name
    │   ├── SecretRefused        the vault does not give this identity this secret, and no earlier value is known
    │   └── SecretsUnavailable   the vault did not answer and no earlier value is known
    ├── QueueError
    │   └── QueueUnavailable     the queue did not take or give messages
    ├── AccessError
    │   ├── TokenRefused         an access token that is not valid here; says why
    │   └── IssuerUnavailable    the issuer's keys can't be had and none are known
    ├── EventsRefused            whom integration events go to refused them as invalid; it would again
    ├── PublisherUnavailable     whom integration events go to did not take them
    ├── DependencyDown           what is needed is down: of StoreThrottled and each …Unavailable but the issuer's and the cache's
    └── CacheUnavailable         the cache did not answer; only its driver and `ping` raise it

Drivers translate their SDK's errors at the edge, the most specific class first, always `raise X from exc`.
"""

from collections.abc import Sequence


class TwofoldError(Exception):
    """Every error of the kit."""


class SettingsError(TwofoldError):
    """The settings are wrong; `problems` has one line for each of them, so that one start shows all."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("settings are wrong:\n" + "\n".join(f"  - {problem}" for problem in self.problems))


class HandlerError(TwofoldError):
    """The manifest names handlers that can't be imported or called; `problems` has one line for each of them."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("handlers are wrong:\n" + "\n".join(f"  - {problem}" for problem in self.problems))


class ProfileError(TwofoldError, ValueError):
    """A value would not work on every backend; the message names the limit. Raised before any backend is called."""


class UnknownCollection(ProfileError):
    """The service's code names a collection that its manifest has not: a mistake of the service, not of its caller."""


class DependencyDown(TwofoldError):
    """What was needed is down or overloaded, for everybody: no failure of the message or commit that met it, which waits."""


class StoreError(TwofoldError):
    """A document store failed."""


class Conflict(StoreError):
    """The condition of one write did not hold, so nothing of its commit was written; `id` names the document."""

    def __init__(self, partition: str, document_id: str) -> None:
        self.partition, self.id = partition, document_id
        super().__init__(f"condition failed for document {document_id!r} in partition {partition!r}")


class StoreRefused(StoreError):
    """The store refused what was asked of it as invalid, and would again. Nothing was written."""


class StoreThrottled(StoreError, DependencyDown):
    """The store refused for load, and went on doing so until the retries were spent. Nothing was written.

    `retry_after` is the store's own advice in seconds, where it gives any.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class StoreUnavailable(StoreError, DependencyDown):
    """The store did not answer or failed; a write may or may not have happened."""


class PositionError(TwofoldError):
    """The position was not returned by a read or an append of this stream."""


class EventFormatError(TwofoldError):
    """A stored commit or event has a format or schema version that this code can't read."""


class SecretError(TwofoldError):
    """A secret could not be had."""


class SecretNotFound(SecretError):
    """The vault answered: there is no such secret."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"there is no secret {name!r}")


class SecretRefused(SecretError):
    """The vault answered: not this secret, not this identity; and no earlier value is known."""


class SecretsUnavailable(SecretError, DependencyDown):
    """The vault did not answer, did not know the login or throttled, and no earlier value is known."""


class QueueError(TwofoldError):
    """A message queue failed."""


class QueueUnavailable(QueueError, DependencyDown):
    """The queue did not answer or failed; a message may or may not have been sent."""


class AccessError(TwofoldError):
    """Who is calling could not be established."""


class TokenRefused(AccessError):
    """The access token is not valid here. The message is for its sender: plain ASCII, nothing of the token in it."""


class IssuerUnavailable(AccessError):
    """The issuer of access tokens did not answer, or not with what it must, and no earlier keys of it are known."""


class EventsRefused(TwofoldError):
    """Integration events, or one among them, were refused as invalid, and would be again; others may have been accepted."""


class PublisherUnavailable(DependencyDown):
    """Integration events were not, or not all, accepted: publish them again."""


class CacheUnavailable(TwofoldError):
    """The cache did not answer. The Cache makes a miss of it."""
