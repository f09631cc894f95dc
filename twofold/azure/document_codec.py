"""Documents as Cosmos DB items.

Item: `id`, `p` partition, `b` body, `v` a value minted by the writer, `e` expiry in epoch seconds and `ttl` in seconds from
the write on, both absent when the document does not expire. A public version is `<v>.<etag>.<e>`: `v` tells whose write it is, the
etag is what Cosmos compares, `e` lets an expired version be refused unasked. A `Check` changes the etag and keeps `v`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from twofold.portable.document_store import Document, Put

type Item = Mapping[str, Any]


def encode(partition: str, put: Put, minted: str, now: int) -> dict[str, Any]:
    """The item of a Put."""
    item: dict[str, Any] = {"id": put.id, "p": partition, "b": put.body, "v": minted}
    if put.expires_at is not None:
        item["e"] = put.expires_at
        item["ttl"] = max(1, put.expires_at - now)
    return item


def placeholder(partition: str, document_id: str) -> dict[str, Any]:
    """An item that lives only inside a batch."""
    return {"id": document_id, "p": partition, "b": {}, "v": "placeholder"}


def decode(item: Item) -> Document:
    """The document of an item."""
    return Document(item["p"], item["id"], item["b"], version(item), item.get("e"))


def version(item: Item, etag: str | None = None) -> str:
    """The public version of an item, whose etag may be given apart, as the answer to a write does."""
    tag = (etag or item["_etag"]).strip('"')
    return f"{item['v']}.{tag}.{item.get('e', '')}"


@dataclass(frozen=True, slots=True)
class Version:
    """A public version, taken apart: who wrote it, Cosmos' quoted etag, and when it expires."""

    minted: str
    etag: str
    expires_at: int | None

    @classmethod
    def parse(cls, version: str) -> "Version | None":
        """None for a text that is no version of this driver."""
        minted, _, rest = version.partition(".")
        etag, separator, expires_at = rest.partition(".")
        if not separator or not (expires_at == "" or expires_at.isdigit()):
            return None
        return cls(minted, f'"{etag}"', int(expires_at) if expires_at else None)


def is_live(item: Item, now: int) -> bool:
    """Whether it has not expired by the caller's clock; Cosmos hides it by its own."""
    return item.get("e") is None or item["e"] > now
